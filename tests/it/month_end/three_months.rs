//! Three months in a row, with money in transit at each end.
