//! Joins the floors.
