//! A month's end as a whole, through the program itself: everything planted is found, and nothing else.

mod asking;
pub(crate) mod audit;
mod banked;
mod decided;
mod older;
mod one_place;
mod own;
mod planted;
mod planter;
mod sandbox;
mod stories;
mod taken_back;
mod three_months;
mod told;
