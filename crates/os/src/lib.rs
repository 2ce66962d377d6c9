//! The seam to the machine. Everything that another crate wants of disk, network, clock or chance goes through here,
//! so that a simulation can stand in its place.

pub mod clock;
pub mod disk;
pub mod limits;
pub mod machine;
pub mod net;
pub mod random;
pub mod thread;

pub use clock::Clock;
pub use disk::{DirectoryLock, Disk, File, FileSystem, OpenOptions};
pub use random::Random;

/// What a component of ours needs of the machine.
#[derive(Debug, Clone)]
pub struct Os {
    pub disk: Disk,
    pub clock: Clock,
    pub random: Random,
}

impl Os {
    /// The machine as it is.
    pub fn real() -> Os {
        Os {
            disk: Disk::real(),
            clock: Clock::real(),
            random: Random::real(),
        }
    }
}
