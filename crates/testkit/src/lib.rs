//! What tests of several crates share.
//!
//! Everything but [`postgres`] is behind the feature `server` (on by default), so that the store can test itself without
//! waiting for the server to compile.

#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod patience;
pub mod postgres;
#[cfg(feature = "server")]
pub mod server;

/// Makes two tests of one `async fn(TestServer)`: one on each database.
#[cfg(feature = "server")]
#[macro_export]
macro_rules! on_both {
    ($name:ident) => {
        mod $name {
            #[tokio::test]
            async fn on_sqlite() {
                super::$name($crate::server::TestServer::start().await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                super::$name($crate::server::TestServer::on_postgres().await).await;
            }
        }
    };
}
