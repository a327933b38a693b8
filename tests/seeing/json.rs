//! The table as JSON.
