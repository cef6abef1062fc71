//! Evidence against bills: matching, classification in bulk, control identities.
//!
//! Belongs here: the bulk engine around `domain::classify`. Must not be here: file formats of reports, sending anything.
