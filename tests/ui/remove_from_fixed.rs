//! A level declared as fixed.
//!
//! ERROR nothing can be added to or removed from level `Zone`
//! NOTE a `fixed level` keeps the members that it was given when the manager was built
//! NOTE declare it as `level Zone` if its members are to be added and removed
use lockladder::{Session, SessionError, held, hierarchy};

hierarchy! {
    pub struct Site {
        root Top,
        fixed level Zone: u16,
    }
}

fn wrong(mut job: Session<Site, held![shared Top, exclusive Zone]>) -> Result<(), SessionError> {
    job.remove_held::<Zone>([7])
}

fn main() {}
