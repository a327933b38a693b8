//! A level declared as fixed.
//!
//! ERROR level `Zone` is fixed: its members were given when the manager was built
//! NOTE declare it as `level Zone`, without `fixed`, if its members may change
use lockladder::{Session, SessionError, held, hierarchy};

hierarchy! {
    pub struct Site {
        root Top,
        fixed level Zone: u16,
    }
}

async fn wrong(mut job: Session<Site, held![shared Top]>) -> Result<(), SessionError> {
    job.add::<Zone>([7]).await
}

fn main() {}
