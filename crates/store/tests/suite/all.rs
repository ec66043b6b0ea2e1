//! The suite: one file for each noun, every test in a database of its own.

mod accounts;
mod apps;
mod audit;
mod certificates;
mod commands;
mod devices;
mod directory;
mod enrollments;
mod escrow;
mod faults;
mod groups;
mod links;
mod opening;
mod outcomes;
mod purges;
mod push_certificates;
mod pushes;
mod rate_limits;
mod removal;
mod road;
mod road_at_once;
mod seals;
mod tenants;
mod transactions;
mod users;
pub mod world;
