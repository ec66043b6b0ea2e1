//! ASN.1 that ends too early, or says that it is larger than the world.

use pki::{Csr, Name, cms::envelope};
use testkit::{on_both, server::TestServer};

use super::Besieged;
use crate::scep::{ber::streamed, client::Client};

on_both!(a_scep_message_that_ends_too_early_is_a_bad_request);
async fn a_scep_message_that_ends_too_early_is_a_bad_request(server: TestServer) {
    let besieged = Besieged::of(server).await;
    let client = Client::of(&besieged.server).await;
    let csr = client.csr();
    let message = client.sealed(&csr);
    for length in (1..message.len()).step_by(61) {
        for cut in [&message[..length], &streamed(&message)[..length]] {
            let reply = client.post(cut.to_vec()).await;
            assert_eq!((reply.status, reply.body.len()), (400, 0), "{length} bytes");
        }
    }
    assert!(client.open(&client.post(message).await, &csr).is_ok(), "the whole one is still good");
    besieged.still_stands().await;
}

#[tokio::test]
async fn a_scep_message_of_which_one_byte_was_changed_issues_nothing() {
    let besieged = Besieged::new().await;
    let link = besieged.server.link().await;
    let client = Client::new(&besieged.server, crate::enrollment::profile(&link).await);
    let csr = client.csr();
    let message = client.sealed(&csr);
    for at in (0..message.len()).step_by(43) {
        let mut changed = message.clone();
        changed[at] ^= 0x20;
        let reply = client.post(changed).await;
        let refused = match reply.status {
            400 => true,
            200 => client.open(&reply, &csr).is_err(),
            _ => false,
        };
        // A change in a part that nobody signed (the certificates' own order, say) may leave it what it was.
        assert!(refused || client.open(&reply, &csr).is_ok(), "byte {at}: {reply:?}");
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn lengths_that_nobody_can_send_are_refused() {
    let besieged = Besieged::new().await;
    let client = Client::of(&besieged.server).await;
    for message in oversized() {
        let reply = client.post(message.clone()).await;
        assert_eq!((reply.status, reply.body.len()), (400, 0), "{:02x?}", &message[..message.len().min(12)]);
    }
    besieged.still_stands().await;
}

/// The same, sealed and signed as it should be: what was decrypted is no less hostile.
#[tokio::test]
async fn what_comes_out_of_an_envelope_is_read_with_the_same_care() {
    let besieged = Besieged::new().await;
    let client = Client::of(&besieged.server).await;
    let csr = client.csr();
    for content in oversized().into_iter().filter(|content| content.len() < 100_000) {
        let message = client.exchange().message(19, &content, &client.key, client.options).unwrap();
        let reply = client.post(message).await;
        assert!(client.open(&reply, &csr).is_err());
    }
    besieged.still_stands().await;
}

/// An envelope for somebody else, one of nothing, and one with a key that is none.
#[tokio::test]
async fn envelopes_that_cannot_be_opened_are_refused_alike() {
    let besieged = Besieged::new().await;
    let client = Client::of(&besieged.server).await;
    let csr = Csr::build(&Name::new("device"), Some(&client.challenge), &client.key).unwrap();
    let good = envelope::seal(csr.der(), &client.ca, client.options.cipher).unwrap();
    let mut no_key = good.clone();
    let middle = no_key.len() / 3;
    no_key[middle..middle + 64].fill(0xaa);
    let for_nobody = envelope::seal(csr.der(), &client.signer, client.options.cipher).unwrap();
    for envelope in [no_key, for_nobody, good[..good.len() - 1].to_vec(), Vec::new()] {
        let reply = client.post(crate::scep::old_clients::signed(&client, &envelope)).await;
        assert!(client.open(&reply, &csr).is_err());
    }
    besieged.still_stands().await;
}

fn oversized() -> Vec<Vec<u8>> {
    vec![
        vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff],
        vec![0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 6, 9][..], &[0; 64]].concat(),
        vec![0x30, 0x80],
        vec![0x30, 0xff],
        [0x30, 0x80].repeat(100_000),
        [0x24, 0x80].repeat(50_000),
        [0x30, 0x82, 0xff, 0xff].repeat(1_000),
        vec![0; 10_000],
        vec![0x1f; 10_000],
    ]
}
