//! What happens to a device while its message is under way: it is known at the first look, and another one, or none, at
//! the second.

use std::sync::Arc;

use apple::{
    CheckIn,
    checkin::{DeclarativeManagement, Endpoint},
    declaration::Kind,
};
use async_trait::async_trait;
use domain::{
    Credential, Installation, Mdm, Refusal, Rejection, TenantId, World,
    ports::{Clock, Store, Tx},
};
use server::{
    adapters::{Argon2, SystemRandom, Wakes, google},
    config::{Config, Settings},
    wire::key_ring,
};
use testkit::{
    on_both,
    patience::within,
    server::{Device, TestServer},
};
use tokio::sync::Barrier;

use super::unenrolled::purge;

on_both!(a_device_that_is_purged_while_it_synchronizes_is_told_so);
/// As any that was purged: it drops its management, and does not ask for ever.
async fn a_device_that_is_purged_while_it_synchronizes_is_told_so(server: TestServer) {
    let of_ours =
        Endpoint::Declaration { kind: Kind::Configuration, identifier: "remuda.status-subscriptions".into() };
    for endpoint in [Endpoint::Tokens, Endpoint::DeclarationItems, of_ours] {
        let iphone = server.enrolled_iphone().await;
        let (credential, message) = asks(&iphone, endpoint.clone());
        let node = Node::beside(&server).await;
        let refused = node.refuses(&credential, &message, purge(&server, &iphone)).await;
        assert_eq!(refused, Refusal::Unenroll { understands_unrecognized: true }, "{endpoint:?}");
    }
}

on_both!(a_device_that_enrolls_again_while_it_synchronizes_is_not_unenrolled);
/// It was not deleted: what its old identity asks is refused, and nothing more.
async fn a_device_that_enrolls_again_while_it_synchronizes_is_not_unenrolled(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let (credential, message) = asks(&iphone, Endpoint::DeclarationItems);
    let link = server.link().await;
    let node = Node::beside(&server).await;
    let again = async {
        iphone.check_out().await.unwrap();
        iphone.re_enroll(Some(&link)).await.unwrap();
    };
    assert_eq!(node.refuses(&credential, &message, again).await, Refusal::NotEnrolled);
}

fn asks(device: &Device, endpoint: Endpoint) -> (Credential, CheckIn) {
    let ids = device.model().identifiers();
    let message = DeclarativeManagement { ids, endpoint, data: None };
    let credential = Credential::proven(device.credential().certificate.clone());
    (credential, CheckIn::DeclarativeManagement(message))
}

/// Another node on the server's database, which waits between its first look at a device and its second.
struct Node {
    mdm: Mdm,
    turn: Arc<Barrier>,
}

impl Node {
    async fn beside(server: &TestServer) -> Self {
        let turn = Arc::new(Barrier::new(2));
        let database = server.database().await;
        let (clock, random) = (Arc::new(server.clock().clone()), Arc::new(SystemRandom::default()));
        let ring = key_ring::open(&server.folder().join("data/key-ring.json"), false).unwrap();
        let installation = Installation::open(&*database.directory, ring, &*random, clock.now()).await;
        let world = World {
            store: Arc::new(Halting { store: database.store.clone(), turn: turn.clone() }),
            directory: database.directory.clone(),
            road: database.road.clone(),
            outbox: database.outbox.clone(),
            wake: Arc::new(Wakes::default()),
            google: Arc::new(
                google::clients(&Config::new(Settings::default()).unwrap(), clock.clone()).unwrap(),
            ),
            clock,
            random,
            hashing: Arc::new(Argon2::default()),
        };
        Self { mdm: Mdm::new(world, installation.unwrap(), domain::Settings::default()), turn }
    }

    /// Why it refuses a message if `meanwhile` happens between its looks.
    async fn refuses(
        &self,
        credential: &Credential,
        message: &CheckIn,
        meanwhile: impl Future<Output = ()>,
    ) -> Refusal {
        let between = async {
            self.turn.wait().await;
            meanwhile.await;
            self.turn.wait().await;
        };
        let both = async { tokio::join!(self.mdm.check_in(credential, message), between) };
        match within("the message is refused", both).await.0 {
            Err(Rejection::Refused(why)) => why,
            other => panic!("{other:?}"),
        }
    }
}

/// The store, whose second look at a device (the first one is the directory's) waits for two turns: when it is about to
/// come, and when it may.
struct Halting {
    store: Arc<dyn Store>,
    turn: Arc<Barrier>,
}

#[async_trait]
impl Store for Halting {
    async fn begin(&self, tenant: TenantId) -> domain::Result<Box<dyn Tx>> {
        self.store.begin(tenant).await
    }

    async fn read(&self, tenant: TenantId) -> domain::Result<Box<dyn Tx>> {
        self.turn.wait().await;
        self.turn.wait().await;
        self.store.read(tenant).await
    }
}
