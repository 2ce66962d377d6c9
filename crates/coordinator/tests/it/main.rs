//! Groups from outside: stories, and the same state whatever happens to the coordinator.

mod resign;
mod sim;
mod stories;
mod world;
