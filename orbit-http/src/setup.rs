//! `orbit setup`: what the stores need before the first start.

use std::io::{self, Write as _};
use std::path::Path;

use orbit_store::Step;

use crate::compose;
use crate::config::Config;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// There is nothing that a template could describe.
#[derive(Debug, thiserror::Error)]
#[error("nothing is configured to be on AWS: images.store is not s3, tables.store not dynamodb")]
struct NothingOnAws;

/// Creates what is missing of the stores that are configured, and prints every step.
pub(crate) fn set_up(file: Option<&Path>) -> Result<(), Fault> {
    let config = Config::of_process(file)?;
    block_on(async {
        let mut n_steps = 0_u32;
        let tell = |step: &Step| {
            n_steps += 1;
            // Who does not listen still gets the stores set up.
            drop(writeln!(io::stdout(), "{step}"));
        };
        let installation = compose::set_up(&config, tell).await?;
        let end = if n_steps == 0 { "nothing was missing" } else { "ready" };
        writeln!(io::stdout(), "installation {installation}: {end}")?;
        Ok(())
    })
}

/// Prints what [`set_up`] would create on AWS, as a `CloudFormation` template.
pub(crate) fn print(file: Option<&Path>) -> Result<(), Fault> {
    let config = Config::of_process(file)?;
    block_on(async {
        let template = compose::template(&config).await?.ok_or(NothingOnAws)?;
        writeln!(io::stdout(), "{template:#}")?;
        Ok(())
    })
}

fn block_on(work: impl Future<Output = Result<(), Fault>>) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)
}
