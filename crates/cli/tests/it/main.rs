//! Commands run as rows of the table.

mod consume;
mod schemas;
