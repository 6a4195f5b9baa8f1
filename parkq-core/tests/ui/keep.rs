//! A frame that went into the pipeline does not come out of it.
use parkq_core::{Outcome, Pipeline, RawFrame, Result, Stage};

fn main() {}

fn after(pipeline: &Pipeline, raw: RawFrame) -> Result<(Outcome, RawFrame)> {
    Ok((pipeline.process(raw)?, raw))
}

fn meanwhile(pipeline: &Pipeline, raw: RawFrame, out: &mut Vec<RawFrame>) -> Result<Outcome> {
    pipeline.process_with(raw, &mut |_: Stage| out.push(raw))
}
