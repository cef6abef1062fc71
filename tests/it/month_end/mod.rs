//! A month's end as a whole, through the program itself: everything planted is found, and nothing else.

pub(crate) mod audit;
mod decided;
mod older;
mod own;
mod planted;
mod planter;
mod sandbox;
mod stories;
mod three_months;
mod told;
