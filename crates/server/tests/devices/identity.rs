//! Who a device is: its certificate, and the three ways to show that it has the key.

mod certificates;
mod clocks;
mod device_ca;
mod forgotten;
mod meanwhile;
mod proxy;
mod signatures;
mod tickets;
mod tls;
mod unenrolled;
