//! Placeholder.
use std::error::Error;
/// x
pub async fn run(_: &crate::options::Load) -> Result<(), Box<dyn Error + Send + Sync>> {
    Ok(())
}
