//! The end of a run: the server is left alone, the devices connect until nothing is left to do, and
//! everything is looked at.

mod kept;

use std::{
    fs,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use store::StoreSettings;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    callers::Caller,
    console,
    handset::{Handset, Standing},
    journal::{Answer, Pages, Sent},
    process::LOG,
    record::{Finding, count},
    verdict::{self, sent},
    world::{Shared, World},
};

/// How many devices are looked after at once.
const AT_ONCE: usize = 16;

/// After this something hangs, and is said to.
const HANGS: Duration = Duration::from_mins(5);

/// Lets everything come to rest, asks every device for one more thing, and judges.
pub async fn look(world: &Shared, handsets: Vec<Handset>) -> Vec<Handset> {
    let handsets = come_to_rest(world, handsets).await;
    let handsets = each(handsets, last_lock).await;
    let handsets = come_to_rest(world, handsets).await;
    each(handsets, judge).await
}

/// What the program's own commands, the database and the log tell once the server is gone.
pub async fn look_at_what_is_left(world: &World, handsets: &[Handset]) {
    let list = ["purge", "list", "--limit", "1000", "--tenant", &world.installation.tenant];
    for purge in world.installation.run(&list)["purges"].as_array().into_iter().flatten() {
        let number = |field: &str| purge[field].as_u64().unwrap_or_default();
        let is_whole = number("asked") == number("purged") + number("skipped");
        if purge["finished_at"].is_null() || !is_whole {
            world.record.find(Finding::Lost(format!("a purge is not done: {purge}")));
        }
    }
    let settings = StoreSettings::new(world.installation.database());
    let database = store::open(&settings).await.expect("the database opens");
    for fault in database.faults().await.expect("the database can be read") {
        world.record.find(Finding::Wrong(format!("in the database: {fault}")));
    }
    kept::look(world, &database, handsets).await;
    database.close().await.expect("the database closes");
    for node in &world.installation.nodes {
        let log = fs::read_to_string(node.file(LOG)).expect("the server's log");
        for line in log.lines().filter(|line| line.contains("panicked at") || line.contains(" ERROR ")) {
            world.record.find(Finding::Wrong(format!("in the log: {line}")));
        }
    }
}

/// Lets all devices connect until none is handed anything and no worker has anything to do.
async fn come_to_rest(world: &Shared, mut handsets: Vec<Handset>) -> Vec<Handset> {
    let (caller, began) = (Caller::new(world), Instant::now());
    loop {
        let were_busy = Arc::new(AtomicU64::default());
        let counter = were_busy.clone();
        handsets = each(handsets, move |handset| connect(handset, counter.clone())).await;
        let is_at_rest = were_busy.load(Ordering::Relaxed) == 0;
        if is_at_rest && caller.backlog(&["outcomes", "purges"]).await == Some(0) {
            return handsets;
        }
        if began.elapsed() > HANGS {
            world.record.find(Finding::Wrong("the server does not come to rest".into()));
            return handsets;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn connect(mut handset: Handset, were_busy: Arc<AtomicU64>) -> Handset {
    handset.obey();
    if handset.standing == Standing::Managed && handset.visit().await.unwrap_or(true) {
        count(&were_busy);
    }
    handset
}

/// Asks for one more lock, whose push must arrive at the address that was told last.
async fn last_lock(mut handset: Handset) -> Handset {
    if handset.standing != Standing::Managed {
        return handset;
    }
    let (world, device) = (handset.world().clone(), handset.serial_number().to_owned());
    let lost = |what: String| world.record.find(Finding::Lost(format!("{device}: {what}")));
    let before = world.apns.counters().arrived;
    let (message, answer) = Caller::new(&world).lock(&world, &device, &handset.journal).await;
    if !answer.is_taken() {
        lost(format!("is enrolled, but cannot be locked: {answer:?}"));
        return handset;
    }
    let began = Instant::now();
    loop {
        let woken = handset.wake(HANGS.saturating_sub(began.elapsed())).await;
        if woken.is_some_and(|order| order > before) {
            break;
        }
        if began.elapsed() >= HANGS {
            lost("no push arrives at the address that it told last".into());
            break;
        }
    }
    // How it stands is judged later.
    let _ = handset.visit().await;
    if !handset.journal.pages().deeds.iter().any(|deed| deed.message.as_ref() == Some(&message)) {
        lost(format!("was woken for {message:?}, and did not get it"));
    }
    handset
}

async fn judge(mut handset: Handset) -> Handset {
    if handset.standing == Standing::Managed {
        // Another token than it left is found there; how it stands is judged here.
        let _ = handset.recall_token().await;
    }
    let (world, device) = (handset.world().clone(), handset.serial_number().to_owned());
    let (pages, caller) = (handset.journal.pages(), Caller::new(&world));
    let is_managed = handset.standing == Standing::Managed;
    let mut findings = verdict::judge(&device, &pages, is_managed);
    let info = caller.info(&json!({ "serialnumber": device })).await;
    findings.extend(misrepresented(&handset, &pages, info).map(Finding::Lost));
    for sent in &pages.sent {
        let Some(uuid) = &sent.uuid else { continue };
        let shown = shown(&caller, sent, uuid).await;
        let findings_of_it = sent::judge(&device, sent, &pages, is_managed, shown.as_ref());
        findings.extend(findings_of_it);
    }
    for purge in pages.purges.iter().filter(|purge| purge.answer.is_taken()) {
        let info = caller.info(&json!({ "clientid": purge.client_id })).await;
        if info.as_ref().map(|(status, _)| *status) != Some(404) {
            findings.push(Finding::Lost(format!("{device}: was purged, and is still there: {info:?}")));
        }
    }
    pages.deeds.iter().filter(|deed| deed.done).for_each(|_| count(&world.record.tally.deeds));
    findings.into_iter().for_each(|finding| world.record.find(finding));
    handset
}

/// What the server says of a command in the end. One whose time is over is not handed over from then on, but it is a worker that ends it,
/// some second later: that is waited for.
async fn shown(caller: &Caller, sent: &Sent, uuid: &str) -> Option<(u16, Value)> {
    const OPEN: [&str; 3] = ["queued", "handed_over", "not_now"];
    let began = Instant::now();
    loop {
        let shown = console::shown(caller, uuid).await;
        let state = shown.as_ref().and_then(|(_, command)| command["state"].as_str());
        let is_late = sent.expires.is_some_and(|end| end < Instant::now());
        if !is_late || !state.is_some_and(|state| OPEN.contains(&state)) || began.elapsed() > HANGS {
            return shown;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// What the server says of a device that is not so.
fn misrepresented(handset: &Handset, pages: &Pages, info: Option<(u16, Value)>) -> Option<String> {
    let (device, standing) = (handset.serial_number(), handset.standing);
    let (status, info) = info.unwrap_or_default();
    let is = |field: &str, value: bool| info[field] == json!(value);
    let is_right = match standing {
        Standing::Managed => {
            status == 200
                && is("managed", true)
                && info["actions"]["lockscreen"]["status"] == 0
                && knows_inventory(&info)
                && info["osname"].as_str().is_some_and(|name| name.ends_with(handset.os_version()))
        }
        Standing::Left { told: true } => {
            let may_be_gone = pages.purges.iter().any(|purge| !matches!(purge.answer, Answer::Refused(_)));
            (status == 404 && may_be_gone) || is("managed", false) && is("mdmprofileremoved", true)
        }
        Standing::Dismissed => status == 404,
        Standing::Left { told: false } | Standing::Abandoned => true,
    };
    (!is_right).then(|| format!("{device} is {standing:?}, and the server says {status} {info}"))
}

/// Whether the answers to both questions that every device is asked were applied; a Mac's second one is not
/// shown.
fn knows_inventory(info: &Value) -> bool {
    const MAC: u8 = 7;
    !info["storagemb"].is_null() && (info["type"] == MAC || !info["passwordenabled"].is_null())
}

/// Does this with every device, a few at a time.
async fn each<F>(handsets: Vec<Handset>, work: impl Fn(Handset) -> F) -> Vec<Handset>
where
    F: Future<Output = Handset> + Send + 'static,
{
    let (mut tasks, mut done) = (JoinSet::new(), Vec::new());
    for handset in handsets {
        if tasks.len() == AT_ONCE {
            done.extend(tasks.join_next().await.map(|handset| handset.expect("a task that ends")));
        }
        tasks.spawn(work(handset));
    }
    done.extend(tasks.join_all().await);
    done
}
