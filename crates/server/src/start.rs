//! `ottla start`: configuration, log directory, metadata, listeners; ready; stop.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use broker::partition::Progress;
use broker::{AdvertisedListener, Broker, BrokerService, Node};
use config::{BrokerConfig, Flush, Layers, ListenerAddress};
use net::{BoundListener, ConnectionLimits, Listener, Memory, Runtimes, Server, ServerOptions};
use os::Os;
use storage::{FlushPolicy, Identity, LogDirectory, Options};
use types::BrokerId;

use crate::commands::StartArgs;
use crate::guide::{self, Guide};
use crate::operator::{Door, Operator};

const MEMORY_BYTES_MIN: u64 = 64 << 20;

pub fn run(args: &StartArgs) -> anyhow::Result<()> {
    let config = load(args)?;
    refuse_open_doors(&config, args.insecure)?;
    os::limits::restrict_file_mode();
    let open_files = os::limits::raise_open_files();
    let os = Os::real();
    let runtimes = Runtimes::start(os::limits::cores()).context("runtimes cannot be started")?;
    // Ports first: a second start fails before it touches a file.
    let bound = bind(&runtimes, &config)?;
    let door = Door::open(&runtimes, &config)?;
    let directory = open_directory(&os, &config)?;
    let node = node(&config, &directory, &bound.listeners());
    let broker = Broker::open(&os, config.clone(), node, directory.clone())?;
    broker
        .loggers
        .follow(telemetry::log::level(), telemetry::log::set_level);
    let service = Arc::new(BrokerService::new(broker.clone()));
    let options = ServerOptions {
        limits: limits(&config, open_files),
        memory: memory(&config),
        connections: Arc::default(),
    };
    let server = bound.serve(&runtimes, &service, &options);
    let caps = server.caps();
    broker.follow_settings(move |config| caps.set(&limits(config, open_files)));
    let ready = ready_line(&broker, server.listeners(), &door.addresses());
    let guide = Guide {
        kafka: server.listeners().first().map(|listener| listener.address),
        http: door.addresses().first().copied(),
        data: broker.directory.path().to_owned(),
        flush: broker.flush(),
    };
    let operator = Operator {
        broker: broker.clone(),
        memory: options.memory,
        connections: options.connections,
        open_files_max: open_files,
        ready_at: Instant::now(),
    };
    let http = door.serve(&runtimes, operator);
    say(&ready);
    if args.guide {
        say(&guide::lines(&guide));
    }
    runtimes.block_on(stop_signal())?;
    server.stop();
    drop((server, http));
    // Connections end with their runtimes; what they appended is written and synced below.
    drop(runtimes);
    broker.close().context("the log could not be closed cleanly")?;
    say("ottla stopped");
    Ok(())
}

/// A line on stdout. Whoever started this node may have stopped listening, which is no reason to end.
fn say(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

pub(crate) fn load(args: &StartArgs) -> anyhow::Result<BrokerConfig> {
    let mut layers = Layers::default();
    if let Some(path) = &args.config {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let name = path.to_string_lossy();
        layers
            .file(&name, &text)
            .with_context(|| path.display().to_string())?;
    }
    layers.environment(std::env::vars());
    for pair in &args.set {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| anyhow!("--set {pair}: KEY=VALUE is wanted"))?;
        layers.set(name, value, "--set");
    }
    if let Some(data) = &args.data {
        layers.set("log.dirs", &data.to_string_lossy(), "--data");
    }
    if let Some(flush) = &args.flush {
        layers.set("ottla.flush", flush, "--flush");
    }
    let loaded = layers.check()?;
    if !loaded.without_effect.is_empty() {
        let names = loaded.without_effect.join(", ");
        tracing::warn!(%names, "these settings are accepted and have no effect in this version");
    }
    Ok(BrokerConfig::new(&loaded)?)
}

/// Without authentication only this machine may come in, unless somebody says otherwise (`security.md` 1).
fn refuse_open_doors(config: &BrokerConfig, insecure: bool) -> anyhow::Result<()> {
    for listener in config.listeners.iter().chain(&config.http_listeners) {
        let addresses = resolve(listener)?;
        if !addresses.iter().all(|address| address.ip().is_loopback()) && !insecure {
            bail!(
                "the listener {}://{}:{} is open to other machines and has no authentication: \
                 listen on 127.0.0.1, or say --insecure",
                listener.name,
                listener.host,
                listener.port
            );
        }
    }
    Ok(())
}

pub(crate) fn resolve(listener: &ListenerAddress) -> anyhow::Result<Vec<SocketAddr>> {
    if listener.host.is_empty() {
        return Ok(vec![SocketAddr::new(
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            listener.port,
        )]);
    }
    let addresses: Vec<SocketAddr> = (listener.host.as_str(), listener.port)
        .to_socket_addrs()
        .with_context(|| format!("the listener address {} cannot be resolved", listener.host))?
        .collect();
    if addresses.is_empty() {
        bail!("the listener address {} has no address", listener.host);
    }
    Ok(addresses)
}

fn bind(runtimes: &Runtimes, config: &BrokerConfig) -> anyhow::Result<net::Bound> {
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        let address = *resolve(listener)?.first().context("an address")?;
        listeners.push(Listener {
            name: listener.name.as_str().into(),
            address,
        });
    }
    Server::bind(runtimes, &listeners).map_err(|(listener, error)| {
        let place = format!("cannot listen on {}://{}", listener.name, listener.address);
        anyhow::Error::new(error).context(place)
    })
}

fn open_directory(os: &Os, config: &BrokerConfig) -> anyhow::Result<LogDirectory> {
    let options = Options {
        flush: match config.flush {
            Flush::Ack => FlushPolicy::Ack,
            Flush::Interval => FlushPolicy::Interval(Duration::from_millis(config.flush_interval_ms)),
            Flush::Never => FlushPolicy::Never,
        },
        tail_cache_bytes: config.tail_cache_bytes,
        ..Options::default()
    };
    let identity = Identity {
        cluster_id: None,
        node_id: BrokerId(config.node_id),
    };
    let path = std::path::Path::new(&config.log_dir);
    let opened = LogDirectory::open(os, path, &identity, options, Arc::new(Progress));
    let (directory, report) =
        opened.with_context(|| format!("the data directory {} cannot be opened", config.log_dir))?;
    tracing::info!(?report, "log directory recovered");
    Ok(directory)
}

fn node(config: &BrokerConfig, directory: &LogDirectory, bound: &[BoundListener]) -> Node {
    let advertise = |listener: &BoundListener| {
        let said = config.advertised.iter().find(|said| *said.name == *listener.name);
        AdvertisedListener {
            listener: listener.name.clone(),
            host: said.map(|said| said.host.clone()),
            port: said.map_or(listener.address.port(), |said| said.port),
        }
    };
    Node {
        id: BrokerId(config.node_id),
        cluster_id: directory.cluster_id().into(),
        directory_id: directory.directory_id(),
        rack: config.rack.clone(),
        advertised: bound.iter().map(advertise).collect(),
    }
}

fn limits(config: &BrokerConfig, open_files: u64) -> ConnectionLimits {
    let said = &config.connections;
    let most = usize::try_from(open_files / 10 * 8).unwrap_or(1024);
    let clamp = |said: i64| usize::try_from(said).unwrap_or(most).min(most);
    let unlimited = i64::from(i32::MAX);
    let per_ip = if said.per_ip == unlimited {
        1000
    } else {
        said.per_ip
    };
    let overrides = said.per_ip_overrides.iter();
    ConnectionLimits {
        connections_max: clamp(said.max),
        per_address_max: clamp(per_ip),
        per_address_overrides: overrides.map(|(address, max)| (*address, clamp(*max))).collect(),
        accepts_max: (said.per_second != unlimited).then(|| u32::try_from(said.per_second).unwrap_or(0)),
        idle_max: Duration::from_millis(config.connections_max_idle_ms),
        ..ConnectionLimits::default()
    }
}

fn memory(config: &BrokerConfig) -> Memory {
    let quarter = os::limits::memory_bytes() / 4;
    let bytes = if config.memory_bytes == 0 {
        quarter.max(MEMORY_BYTES_MIN)
    } else {
        config.memory_bytes
    };
    Memory::new(usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn ready_line(broker: &Broker, listeners: &[BoundListener], http: &[SocketAddr]) -> String {
    let shown: Vec<String> = listeners
        .iter()
        .map(|listener| format!("{}://{}", listener.name, listener.address))
        .collect();
    let flush = match broker.flush() {
        Flush::Ack => "ack",
        Flush::Interval => "interval",
        Flush::Never => "never",
    };
    let sync_us = broker.directory.sync_time().as_micros();
    let http: Vec<String> = http.iter().map(|address| format!(" http={address}")).collect();
    format!(
        "ottla ready: {} data={} flush={flush} sync={sync_us}us{}",
        shown.join(","),
        broker.directory.path().display(),
        http.concat()
    )
}

async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
