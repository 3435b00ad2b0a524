//! The search language and the filter parameters, seen from outside.

mod catalogue;
mod errors;
mod filters;
mod hostile;
mod meaning;
mod normal_forms;
mod notation;
mod parameters;
mod reference;
mod round_trip;
