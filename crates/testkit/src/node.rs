//! A broker of one node on a simulated disk, listening on a free port of loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use broker::partition::Progress;
use broker::{AdvertisedListener, Broker, BrokerService, Node};
use config::{BrokerConfig, Layers};
use net::{ConnectionLimits, Entrance, Listener, Memory, Runtimes, Server, ServerOptions};
use os::disk::SimDisk;
use os::{Clock, Disk, Os, Random};
use storage::{Identity, LogDirectory, Options};
use types::BrokerId;

const MEMORY_BYTES: usize = 64 << 20;

/// A running node. Dropping it is a crash: nothing is written or synced on the way out.
pub struct TestNode {
    pub broker: Arc<Broker>,
    pub address: SocketAddr,
    /// Unused on the machine's own disk.
    pub disk: SimDisk,
    server: Server,
    _runtimes: Runtimes,
}

impl TestNode {
    /// A new node with settings of its own.
    pub fn start(settings: &[(&str, &str)]) -> TestNode {
        Self::on(SimDisk::new(), settings)
    }

    /// A node on a disk that may have a past.
    pub fn on(disk: SimDisk, settings: &[(&str, &str)]) -> TestNode {
        Self::open(Disk::Simulated(disk.clone()), Path::new("/data"), disk, settings)
    }

    /// A node on the machine's own disk, whose directory must not exist yet or hold a log of such a node.
    pub fn on_real_disk(data: &Path, settings: &[(&str, &str)]) -> TestNode {
        Self::open(Disk::real(), data, SimDisk::new(), settings)
    }

    fn open(on: Disk, data: &Path, disk: SimDisk, settings: &[(&str, &str)]) -> TestNode {
        let mut layers = Layers::default();
        settings
            .iter()
            .for_each(|(name, value)| layers.set(name, value, "test"));
        let config = BrokerConfig::new(&layers.check().expect("legal settings")).expect("legal settings");
        let os = Os {
            disk: on,
            clock: Clock::real(),
            random: Random::real(),
        };
        let runtimes = Runtimes::start(1).expect("a thread");
        let listener = Listener {
            name: "PLAINTEXT".into(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        };
        let bound = Server::bind(&runtimes, &[listener])
            .map_err(|(_, error)| error)
            .expect("a free port");
        let address = bound.listeners()[0].address;
        let identity = Identity {
            cluster_id: None,
            node_id: BrokerId(config.node_id),
        };
        let options = Options {
            chunk_bytes_min: 256 << 10,
            chunk_bytes_max: 1 << 20,
            ..Options::default()
        };
        let (directory, _) =
            LogDirectory::open(&os, data, &identity, options, Arc::new(Progress)).expect("a sound disk");
        let node = Node {
            id: BrokerId(config.node_id),
            cluster_id: directory.cluster_id().into(),
            directory_id: directory.directory_id(),
            rack: None,
            advertised: vec![AdvertisedListener {
                listener: "PLAINTEXT".into(),
                host: None,
                port: address.port(),
            }],
        };
        let broker = Broker::open(&os, config, node, directory).expect("a sound disk");
        let service = Arc::new(BrokerService::new(broker.clone()));
        let options = ServerOptions {
            limits: ConnectionLimits::default(),
            memory: Memory::new(MEMORY_BYTES),
            connections: Arc::default(),
        };
        let server = bound.serve(&runtimes, &service, &options);
        TestNode {
            broker,
            address,
            disk,
            server,
            _runtimes: runtimes,
        }
    }

    /// Where clients of this process come in without a socket.
    pub fn entrance(&self) -> Entrance {
        self.server.entrance()
    }

    /// The disk as a power loss now would leave it.
    pub fn power_loss(self, seed: u64) -> SimDisk {
        self.server.stop();
        self.disk.crash(&Random::seeded(seed))
    }
}

/// Runs `work` beside a new node, whose `host:port` it is given; a failure of it is a panic.
pub fn with_node<E: std::fmt::Debug>(work: impl AsyncFnOnce(String) -> Result<(), E>) {
    let settings = [
        ("group.initial.rebalance.delay.ms", "0"),
        ("group.min.session.timeout.ms", "100"),
    ];
    let node = TestNode::start(&settings);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime
        .block_on(work(node.address.to_string()))
        .expect("the work succeeds");
}
