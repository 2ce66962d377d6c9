//! Commands run as rows of the table.

mod schemas;
