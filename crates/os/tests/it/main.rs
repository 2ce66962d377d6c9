//! The seam: the simulated disk keeps its word, and the real one does.

mod real;
mod simulated;
