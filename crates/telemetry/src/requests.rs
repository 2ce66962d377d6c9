//! What requests cost, by API key.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::histogram::{Shard as Times, Snapshot};
use crate::shard::{self, Padded, SHARDS};
use crate::{Text, table};

/// API keys below this are told apart; others count as the last.
pub const API_KEYS: usize = 128;
/// Error codes from -1 up to below this minus one.
const ERRORS: usize = 160;

/// A request that is answered, or whose connection it ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Finished {
    pub api: i16,
    pub request_bytes: usize,
    pub response_bytes: usize,
    /// From the arrival of its last byte until it was started.
    pub queued: Duration,
    /// On the processor, until it was answered or waited.
    pub handled: Duration,
    /// Waiting for a disk, for records or for others.
    pub parked: Duration,
    /// It was answered by ending the connection.
    pub closed: bool,
}

#[derive(Debug, Default)]
struct Shard {
    count: AtomicU64,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
    closed: AtomicU64,
    queued: Times,
    handled: Times,
    parked: Times,
}

/// Picks a sum, or times, out of a shard.
type Of<T> = fn(&Shard) -> &T;

#[derive(Debug, Default)]
struct Api {
    shards: [Padded<Shard>; SHARDS],
    errors: OnceLock<Box<[AtomicU64]>>,
}

/// Request metrics of a node. An API takes memory when its first request comes.
#[derive(Debug)]
pub struct Requests {
    apis: Box<[OnceLock<Box<Api>>]>,
}

/// Names that this crate does not know.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    pub api: fn(i16) -> &'static str,
    pub error: fn(i16) -> &'static str,
}

impl Default for Requests {
    fn default() -> Requests {
        Requests {
            apis: (0..API_KEYS).map(|_| OnceLock::new()).collect(),
        }
    }
}

impl Requests {
    fn api(&self, key: i16) -> Option<&Api> {
        let index = usize::try_from(key).map_or(API_KEYS - 1, |key| key.min(API_KEYS - 1));
        Some(self.apis.get(index)?.get_or_init(Box::default))
    }

    pub fn finished(&self, request: &Finished) {
        let Some(shard) = self
            .api(request.api)
            .and_then(|api| api.shards.get(shard::mine()))
        else {
            return;
        };
        let shard = &shard.0;
        shard.count.fetch_add(1, Ordering::Relaxed);
        shard
            .request_bytes
            .fetch_add(request.request_bytes as u64, Ordering::Relaxed);
        shard
            .response_bytes
            .fetch_add(request.response_bytes as u64, Ordering::Relaxed);
        shard
            .closed
            .fetch_add(u64::from(request.closed), Ordering::Relaxed);
        shard.queued.record(request.queued);
        shard.handled.record(request.handled);
        shard.parked.record(request.parked);
    }

    /// An answer carried this code. None of it counts as nothing (0).
    pub fn error(&self, api: i16, code: i16) {
        if code == 0 {
            return;
        }
        let Some(api) = self.api(api) else { return };
        let errors = api
            .errors
            .get_or_init(|| (0..ERRORS).map(|_| AtomicU64::new(0)).collect());
        let index = usize::try_from(i32::from(code) + 1).unwrap_or(0);
        if let Some(count) = errors.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All of it, in Prometheus' text.
    pub fn write(&self, text: &mut Text, names: Names) {
        let apis: Vec<(&'static str, &Api)> = self.known(names).collect();
        let sums: [(&table::Metric, Of<AtomicU64>); 4] = [
            (&table::REQUESTS, |shard| &shard.count),
            (&table::REQUEST_BYTES, |shard| &shard.request_bytes),
            (&table::RESPONSE_BYTES, |shard| &shard.response_bytes),
            (&table::REQUESTS_CLOSED, |shard| &shard.closed),
        ];
        for (metric, of) in sums {
            text.family(metric);
            for (name, api) in &apis {
                let sum: u64 = api
                    .shards
                    .iter()
                    .map(|shard| of(&shard.0).load(Ordering::Relaxed))
                    .sum();
                text.sample(&[("api", name)], sum as f64);
            }
        }
        let times: [(&table::Metric, Of<Times>); 3] = [
            (&table::REQUEST_QUEUE, |shard| &shard.queued),
            (&table::REQUEST_HANDLE, |shard| &shard.handled),
            (&table::REQUEST_PARK, |shard| &shard.parked),
        ];
        for (metric, of) in times {
            text.family(metric);
            for (name, api) in &apis {
                let mut sum = Snapshot::default();
                api.shards.iter().for_each(|shard| of(&shard.0).add_to(&mut sum));
                text.histogram(&[("api", name)], &sum);
            }
        }
        write_errors(text, &apis, names);
    }

    fn known(&self, names: Names) -> impl Iterator<Item = (&'static str, &Api)> {
        let keyed = (0i16..).zip(&self.apis);
        keyed.filter_map(move |(key, api)| Some(((names.api)(key), api.get()?.as_ref())))
    }
}

fn write_errors(text: &mut Text, apis: &[(&'static str, &Api)], names: Names) {
    text.family(&table::REQUEST_ERRORS);
    for (name, api) in apis {
        let codes = (-1i16..).zip(api.errors.get().into_iter().flat_map(|errors| errors.iter()));
        for (code, count) in codes {
            let count = count.load(Ordering::Relaxed);
            if count != 0 {
                text.sample(&[("api", name), ("error", (names.error)(code))], count as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names = Names {
        api: |key| if key == 3 { "Metadata" } else { "other" },
        error: |code| if code == -1 { "UNKNOWN_SERVER_ERROR" } else { "E" },
    };

    #[test]
    fn a_request_is_seen_under_its_name() {
        let requests = Requests::default();
        let request = Finished {
            api: 3,
            request_bytes: 40,
            response_bytes: 60,
            handled: Duration::from_micros(7),
            ..Finished::default()
        };
        requests.finished(&request);
        requests.finished(&request);
        requests.error(3, -1);
        requests.error(3, 0);
        let mut text = Text::default();
        requests.write(&mut text, NAMES);
        let text = text.into_string();
        for line in [
            "ottla_requests_total{api=\"Metadata\"} 2",
            "ottla_request_bytes_total{api=\"Metadata\"} 80",
            "ottla_response_bytes_total{api=\"Metadata\"} 120",
            "ottla_request_handle_seconds_bucket{api=\"Metadata\",le=\"0.00001\"} 2",
            "ottla_request_handle_seconds_count{api=\"Metadata\"} 2",
            "ottla_request_errors_total{api=\"Metadata\",error=\"UNKNOWN_SERVER_ERROR\"} 1",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
        assert!(!text.contains("\"E\""), "no error is none");
    }

    #[test]
    fn keys_that_nobody_knows_do_no_harm() {
        let requests = Requests::default();
        for api in [-1, i16::MIN, i16::MAX, 500] {
            requests.finished(&Finished {
                api,
                ..Finished::default()
            });
            requests.error(api, i16::MAX);
            requests.error(api, i16::MIN);
        }
        let mut text = Text::default();
        requests.write(&mut text, NAMES);
        assert!(
            text.into_string()
                .contains("ottla_requests_total{api=\"other\"} 4")
        );
    }
}
