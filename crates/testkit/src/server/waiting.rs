//! What tests want of a server past its APIs: a command, a look into its database, and the end of what it does by itself.

use domain::{
    Action, ChannelKey, Command, CommandId, CommandState, DeviceFilter, Lock, Page, TenantId,
    ports::{Clock, Random, Tx},
};
use server::adapters::SystemRandom;
use store::StoreSettings;

use super::{Device, TestServer};
use crate::patience::within;

impl TestServer {
    /// Queues a lock with a message: a command that every device carries out.
    pub async fn lock(&self, device: &Device) -> CommandId {
        let lock = Lock::new(Some("hello".into()), None, None).expect("a sound lock");
        self.mdm().act(&self.owner(), device.id(), &Action::Lock(lock)).await.expect("the lock is queued")
    }

    /// Queues any commands, in this order; nobody is woken.
    pub async fn queue(&self, device: &Device, requests: &[apple::Command]) -> Vec<CommandId> {
        let mut tx = self.database().await.store.begin(self.tenant).await.expect("a transaction");
        let record = tx.device_for_update(device.id()).await.expect("an answer").expect("a device");
        let random = SystemRandom::default();
        let command = |request: &apple::Command| {
            let id = CommandId(random.ordered_id());
            Command {
                id,
                device: record.id,
                enrollment: record.enrollment,
                channel: ChannelKey::default(),
                request_type: request.request_type().into(),
                action: None,
                dedupe: None,
                payload: request.encode(&id.to_string().to_uppercase()),
                sealed: false,
                judged: None,
                schedule: domain::Schedule::default(),
                put_off: 0,
                wake_at: self.clock.now().plus(std::time::Duration::from_mins(15)),
                state: CommandState::Queued,
                result: None,
                result_sealed: false,
                queued_at: self.clock.now(),
                handed_over_at: None,
                finished_at: None,
            }
        };
        let commands: Vec<Command> = requests.iter().map(command).collect();
        tx.add_commands(&commands).await.expect("the commands are queued");
        tx.commit().await.expect("the commands are queued");
        commands.iter().map(|command| command.id).collect()
    }

    /// A command as it is stored.
    pub async fn command(&self, device: &Device, id: CommandId) -> Command {
        self.records().await.command(device.id(), id).await.expect("an answer").expect("a command")
    }

    /// A look into the tenant's records, past the server.
    pub async fn records(&self) -> Box<dyn Tx> {
        self.database().await.store.read(self.tenant).await.expect("a transaction")
    }

    /// The database, opened a second time beside the server.
    pub async fn database(&self) -> &store::Opened {
        let settings = StoreSettings::new(&self.config.database);
        let opened = self.looks.get_or_try_init(async || store::open(&settings).await).await;
        opened.expect("the database opens once more")
    }

    /// The devices of a tenant, by id; at most a thousand.
    pub async fn devices_of(&self, tenant: TenantId) -> Vec<domain::Device> {
        let mut records = self.database().await.store.read(tenant).await.expect("a transaction");
        let page = Page { after: None, skip: 0, limit: domain::PAGE_LIMIT };
        records.devices(&DeviceFilter::default(), page).await.expect("a list")
    }

    /// How often something of this kind has happened in the tenant.
    pub async fn count_events(&self, kind: &str) -> usize {
        let events = self.records().await.events(None, 1000).await.expect("the audit log");
        events.iter().filter(|event| event.kind == kind).count()
    }

    /// Waits until `is_so`, which is asked again and again since the database tells nobody of its changes.
    pub async fn until(&self, mut is_so: impl AsyncFnMut(&Self) -> bool) {
        let comes = async {
            while !is_so(self).await {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        within("the server is so far", comes).await;
    }

    /// Waits until no push is due or on its way.
    pub async fn pushed(&self) {
        self.until(async |server| server.health().await.pushes == 0).await;
    }

    /// Waits until every result is applied and every purge is done.
    pub async fn settled(&self) {
        self.until(async |server| {
            let health = server.health().await;
            (health.outcomes, health.purges) == (0, 0)
        })
        .await;
    }

    async fn health(&self) -> domain::Health {
        self.mdm().health().await.expect("the server's health")
    }
}
