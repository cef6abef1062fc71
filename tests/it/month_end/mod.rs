//! A month's end as a whole, through the program itself: everything planted is found, and nothing else; what is signed stays.

mod asking;
mod banked;
mod decided;
mod older;
mod one_place;
mod own;
mod paid_out_before;
pub(crate) mod period;
mod planted;
mod planter;
mod revoked_since;
mod rows_first;
mod sandbox;
mod settings;
pub(crate) mod signed;
mod stories;
mod taken_back;
mod three_months;
mod told;
mod unlisted;
mod waiting;
mod waiting_rows;
