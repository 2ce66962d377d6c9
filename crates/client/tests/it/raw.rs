//! Every request of Kafka's protocol by the generic call: those that the broker serves are answered, the others are
//! refused before anything is sent.

use client::protocol::ApiKey;
use client::protocol::messages::*;
use client::{Client, Error, Request, To};

use crate::support::with_broker;

/// Calls that would change the cluster even with nothing in them.
const LEFT_OUT: [ApiKey; 1] = [ApiKey::UnregisterBroker];

/// A request with its defaults, except where a default means that no answer comes.
trait Asked: Request + Default {
    fn asked() -> Self {
        Self::default()
    }
}

/// How a call by a default request ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Answered,
    Closed,
    NotServed,
}

/// The versions to ask in: from 4 on Apache Kafka never answers an AddPartitionsToTxn that names no transaction.
fn versions<Q: Request>() -> std::ops::RangeInclusive<i16> {
    match Q::KEY {
        ApiKey::AddPartitionsToTxn => 0..=3,
        _ => Q::VERSIONS,
    }
}

async fn ask<Q: Request>(client: &Client, request: &Q) -> Ended {
    let served = client.versions(To::Any).await.expect("a broker").of(Q::KEY);
    match (
        client.call_within(To::Any, request, &versions::<Q>()).await,
        served,
    ) {
        (Ok(_), Some(_)) => Ended::Answered,
        (Err(Error::UnsupportedVersion { key, .. }), None) if key == Q::KEY => Ended::NotServed,
        // Kafka closes the connection on what it cannot understand, such as ACLs of no kind; the next call opens another.
        (Err(Error::Disconnected { .. }), Some(_)) => Ended::Closed,
        (outcome, served) => panic!(
            "{:?} is served in {served:?} and gives {:?}",
            Q::KEY,
            outcome.err()
        ),
    }
}

macro_rules! ask_each {
    ($($key:ident: $request:ident::$Request:ident => $response:ident::$Response:ident;)*) => {
        $(impl Asked for $request::$Request {})*

        async fn ask_all(client: &Client) -> Vec<(ApiKey, Ended)> {
            let mut ended = Vec::new();
            $(
                let key = <$request::$Request as Request>::KEY;
                if !LEFT_OUT.contains(&key) && key != ApiKey::Produce {
                    ended.push((key, ask(client, &$request::$Request::asked()).await));
                }
            )*
            let produce = produce_request::ProduceRequest {
                acks: -1,
                ..produce_request::ProduceRequest::asked()
            };
            ended.push((ApiKey::Produce, ask(client, &produce).await));
            ended
        }
    };
}

client::every_request!(ask_each);

#[test]
fn every_key_is_answered_or_refused_without_being_sent() {
    with_broker(|client| async move {
        let ended = ask_all(&client).await;
        assert_eq!(ended.len() + LEFT_OUT.len(), ApiKey::ALL.len());
        let answered = ended
            .iter()
            .filter(|(_, ended)| *ended == Ended::Answered)
            .count();
        assert!(20 < answered, "{ended:?}");
        println!("{answered} keys of {} are answered", ended.len());
    });
}
