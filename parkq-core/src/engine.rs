//! The neural engine. The only file that names tract.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tract_onnx::prelude::*;
use zeroize::Zeroize;

use crate::error::{Error, Result};
use crate::occupancy::ModelInfo;

/// The largest model that is loaded, bytes.
const MAX_MODEL: usize = 64 << 20;

/// A network with one input and one output of fixed shapes, for any number of threads.
pub(crate) struct Net {
    plan: Arc<TypedRunnableModel>,
    idle: Mutex<Vec<Runner>>,
    input: Vec<usize>,
    info: ModelInfo,
}

/// One thread's state of a network, kept between calls. It holds no picture: its input is
/// wiped after each run.
struct Runner {
    state: TypedSimpleState,
    input: Arc<Tensor>,
}

impl Net {
    /// Loads an ONNX model and checks its shapes.
    pub(crate) fn load(name: &str, onnx: &[u8], input: &[usize], output: &[usize]) -> Result<Self> {
        if onnx.len() > MAX_MODEL {
            let actual = onnx.len();
            return Err(Error::Model(format!("{actual} bytes, at most {MAX_MODEL} are allowed")));
        }
        let sha256 = Sha256::digest(onnx).iter().map(|b| format!("{b:02x}")).collect();
        // A malformed model must not take the application down with it.
        let plan = catch_unwind(AssertUnwindSafe(|| plan(onnx, input, output)))
            .unwrap_or_else(|_| Err("its loading panicked".to_owned()))
            .map_err(Error::Model)?;
        let info = ModelInfo { name: name.to_owned(), sha256 };
        Ok(Self { plan, idle: Mutex::default(), input: input.to_vec(), info })
    }

    pub(crate) fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Runs on one input, which `fill` writes in place, and hands the output to `read`.
    /// The input is wiped before this returns, and when it fails.
    pub(crate) fn run<T>(
        &self,
        fill: impl FnOnce(&mut [f32]),
        read: impl FnOnce(&[f32]) -> T,
    ) -> Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut runner = match idle {
            Some(runner) => runner,
            None => Runner {
                state: self.plan.spawn().map_err(inference)?,
                input: Tensor::zero::<f32>(&self.input).map_err(inference)?.into(),
            },
        };
        let result = runner.run(fill, read);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(runner);
        result
    }
}

impl Runner {
    fn run<T>(
        &mut self,
        fill: impl FnOnce(&mut [f32]),
        read: impl FnOnce(&[f32]) -> T,
    ) -> Result<T> {
        let shared = || Error::Inference("the input is still in use".to_owned());
        let input = Arc::get_mut(&mut self.input).ok_or_else(shared)?;
        fill(slice_mut(input)?);
        let outputs =
            self.state.run(tvec!(TValue::from_const(self.input.clone()))).map_err(inference);
        if let Some(input) = Arc::get_mut(&mut self.input) {
            slice_mut(input)?.zeroize();
        } else {
            // The engine still holds it: let go of it, so that it is not used again.
            self.input = Tensor::zero::<f32>(self.input.shape()).map_err(inference)?.into();
        }
        let outputs = outputs?;
        let view = outputs[0].to_plain_array_view::<f32>().map_err(inference)?;
        let values = view.as_slice().ok_or_else(|| Error::Inference("scattered output".into()))?;
        Ok(read(values))
    }
}

fn slice_mut(tensor: &mut Tensor) -> Result<&mut [f32]> {
    let view = tensor.to_plain_array_view_mut::<f32>().map_err(inference)?;
    view.into_slice().ok_or_else(|| Error::Inference("scattered input".into()))
}

fn inference(error: impl std::fmt::Display) -> Error {
    Error::Inference(format!("{error:#}"))
}

fn plan(
    onnx: &[u8],
    input: &[usize],
    output: &[usize],
) -> std::result::Result<Arc<TypedRunnableModel>, String> {
    let text = |error: TractError| format!("{error:#}");
    let mut reader = onnx;
    let model = tract_onnx::onnx().model_for_read(&mut reader).map_err(text)?;
    let inputs = model.input_outlets().map_err(text)?.len();
    let outputs = model.output_outlets().map_err(text)?.len();
    if (inputs, outputs) != (1, 1) {
        return Err(format!("{inputs} inputs and {outputs} outputs, one of each is needed"));
    }
    let found =
        model.input_fact(0).and_then(|fact| fact.shape.as_concrete_finite()).map_err(text)?;
    if let Some(found) = found.filter(|found| found.as_slice() != input) {
        return Err(format!("its input is {found:?}, {input:?} is needed"));
    }
    let model = model
        .with_input_fact(0, f32::fact(input).into())
        .and_then(|model| model.into_optimized())
        .map_err(text)?;
    let found = model.output_fact(0).map_err(text)?;
    if found.datum_type != f32::datum_type() || found.shape.as_concrete() != Some(output) {
        return Err(format!("its output is {found:?}, f32 {output:?} is needed"));
    }
    model.into_runnable().map_err(text)
}
