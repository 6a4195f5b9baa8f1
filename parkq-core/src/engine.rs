//! The neural engine. The only file that names tract.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tract_onnx::pb::{self, tensor_proto, tensor_shape_proto, type_proto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::knobs::KnobScope;
use tract_onnx::tract_core::ops::Cost;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, MaxPool, SumPool};
use tract_onnx::tract_core::ops::matmul::optimized::OptMatMul;
use tract_onnx::tract_core::ops::source::TypedSource;
use tract_onnx::tract_core::tract_linalg::element_wise::ElementWise;
use tract_onnx::tract_core::tract_linalg::routines::Func;
use tract_onnx::tract_core::{plan, tract_linalg};
use zeroize::Zeroize;

use crate::error::{Error, Result};

/// The largest model that is loaded, bytes.
const MAX_MODEL: usize = 64 << 20;
/// The longest name of a model, bytes.
const MAX_NAME: usize = 256;
/// The most nodes of a graph.
const MAX_NODES: usize = 4_000;
/// The most bytes of one tensor while a network runs.
const MAX_TENSOR: u64 = 256 << 20;
/// The most bytes of all of them together; they do not live all at once.
const MAX_TENSORS: u64 = 2 << 30;
/// The most elements of the window of a convolution or of pooling.
const MAX_WINDOW: u64 = 1 << 16;
/// The most multiply-adds of one run: minutes of one thread.
const MAX_MULTIPLY_ADDS: u64 = 1 << 41;
/// The most elements of a tensor that the engine computes from constants while it loads.
const MAX_CONSTANT: u64 = 1 << 22;
/// The engine's direct convolution takes 1.4 times as long as its matrix products do.
const KNOBS: [(&str, &str); 1] = [("TRACT_DISABLE_DIRECT_SPATIAL", "1")];
/// For so many sizes of input a network stays prepared.
const MAX_PLANS: usize = 6;

/// Which model gave a result.
///
/// ```
/// # use parkq_core::{Estimator, Lot};
/// let estimator = Estimator::bundled(Lot::new([])?)?;
/// assert_eq!(estimator.model().sha256.len(), 64);
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// Its name.
    pub name: String,
    /// SHA-256 of its ONNX file, hexadecimal.
    pub sha256: String,
}

/// A network with one input, for any number of threads. It is prepared for a size of input when
/// that is first met, and stays so for the few sizes that were used last.
pub(crate) struct Net {
    graph: Graph,
    /// The one used last comes first.
    plans: Mutex<Vec<Plan>>,
    info: ModelInfo,
}

/// What the file says.
struct Graph {
    model: InferenceModel,
    /// The input's declared sides; `None` is any.
    input: Vec<Option<usize>>,
    outputs: Vec<String>,
}

/// A network that is prepared for one size of input.
struct Plan {
    input: Vec<usize>,
    runnable: Arc<TypedRunnableModel>,
    idle: Vec<Runner>,
}

/// One thread's state of a plan, kept between calls. It holds no picture: its input and what shows
/// it are wiped after each run, and when it is dropped.
struct Runner {
    state: TypedSimpleState,
    input: Arc<Tensor>,
    shown: Shown,
    upper_halves: UpperHalves,
}

/// What shows the input before it was multiplied with anything: padded, turned, normalised. The
/// engine frees such tensors as they are.
#[derive(Default)]
struct Shown {
    nodes: Vec<usize>,
    values: Vec<Arc<Tensor>>,
}

impl Shown {
    /// Notes what a node made of the input, and wipes what nobody needs any more.
    fn note(&mut self, node: &TypedNode, outputs: &[TValue]) {
        self.wipe();
        if node.op_is::<TypedSource>() {
            // The input itself.
            self.nodes.push(node.id);
        } else if !node.op_is::<OptMatMul>()
            && node.inputs.iter().any(|input| self.nodes.contains(&input.node))
        {
            self.nodes.push(node.id);
            for value in outputs.iter().filter_map(TValue::as_arc_tensor) {
                if !self.values.iter().any(|other| Arc::ptr_eq(other, value)) {
                    self.values.push(value.clone());
                }
            }
        }
    }

    fn wipe(&mut self) {
        self.values.retain_mut(|value| {
            let Some(tensor) = Arc::get_mut(value) else { return true };
            // Not objects, such as the sizes that the engine computes with.
            let numbers = tensor.datum_type().is_number();
            if let Some(mut plain) = tensor.as_plain_ram_mut().filter(|_| numbers) {
                plain.as_bytes_mut().zeroize();
            }
            false
        });
    }

    /// All that there was; a value that is still held is its holder's to wipe: it is the input.
    fn clear(&mut self) {
        self.wipe();
        self.nodes.clear();
        self.values.clear();
    }
}

/// The engine's matrix products leave the upper halves of x86-64's vector registers in use, and
/// with these whatever is compiled for every such processor, its own pooling and our resampling
/// among it, takes up to three times as long (Intel 64 and IA-32 Architectures Optimization
/// Reference Manual, "Mixing AVX code with SSE code": `VZEROUPPER`). A routine of it that is
/// compiled for the same instructions, and no assembly, leaves them free.
struct UpperHalves(Option<Box<dyn ElementWise<f32>>>);

impl UpperHalves {
    fn new() -> Self {
        let routine = cfg!(target_arch = "x86_64").then(|| Func::Exp.ew_f32().ok());
        Self(routine.flatten())
    }

    fn free(&self) -> TractResult<()> {
        self.0.as_ref().map_or(Ok(()), |routine| routine.run(&mut [0.0; 16]))
    }
}

/// One output of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) values: &'a [f32],
}

impl Net {
    /// Reads an ONNX model. It is not prepared for any input yet.
    pub(crate) fn load(name: &str, onnx: &[u8]) -> Result<Self> {
        if name.len() > MAX_NAME {
            let actual = name.len();
            let problem = format!("its name has {actual} bytes, at most {MAX_NAME} are allowed");
            return Err(Error::Model(problem));
        }
        if onnx.len() > MAX_MODEL {
            let actual = onnx.len();
            return Err(Error::Model(format!("{actual} bytes, at most {MAX_MODEL} are allowed")));
        }
        // Both ask the system about the processor: now, not when the first picture is there.
        tract_linalg::cache::cache_info();
        let _ = Func::Exp.ew_f32();
        let sha256 = Sha256::digest(onnx).iter().map(|b| format!("{b:02x}")).collect();
        let graph = guarded(|| Graph::read(onnx)).map_err(Error::Model)?;
        let info = ModelInfo { name: name.to_owned(), sha256 };
        Ok(Self { graph, plans: Mutex::default(), info })
    }

    pub(crate) fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The outputs' names, in the file's order.
    pub(crate) fn outputs(&self) -> &[String] {
        &self.graph.outputs
    }

    /// The outputs' shapes for an input of this shape, for which the network is now prepared.
    pub(crate) fn shapes(&self, input: &[usize]) -> Result<Vec<Vec<usize>>> {
        let runnable = self.prepare(input)?;
        let model = runnable.model();
        let shape = |i| {
            let shape = &model.output_fact(i).map_err(text)?.shape;
            shape.as_concrete().map(<[usize]>::to_vec).ok_or_else(|| "an unknown size".to_owned())
        };
        (0..self.outputs().len()).map(|i| shape(i).map_err(Error::Model)).collect()
    }

    /// Runs on one input, which `fill` writes in place, and hands the outputs to `read`.
    /// The input is wiped before this returns, and when it fails or unwinds.
    pub(crate) fn run<T>(
        &self,
        input: &[usize],
        fill: impl FnOnce(&mut [f32]),
        read: impl FnOnce(&[Output<'_>]) -> T,
    ) -> Result<T> {
        let mut runner = match self.idle(input) {
            Some(runner) => runner,
            None => Runner {
                state: self.prepare(input)?.spawn().map_err(inference)?,
                input: Tensor::zero::<f32>(input).map_err(inference)?.into(),
                shown: Shown::default(),
                upper_halves: UpperHalves::new(),
            },
        };
        let result = runner.run(fill, read)?;
        // One that failed is not used again.
        if let Some(plan) = self.plans().iter_mut().find(|plan| plan.input == input) {
            plan.idle.push(runner);
        }
        Ok(result)
    }

    fn plans(&self) -> MutexGuard<'_, Vec<Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self, input: &[usize]) -> Option<Runner> {
        let mut plans = self.plans();
        let at = plans.iter().position(|plan| plan.input == input)?;
        plans[..=at].rotate_right(1);
        plans[0].idle.pop()
    }

    fn prepare(&self, input: &[usize]) -> Result<Arc<TypedRunnableModel>> {
        if let Some(plan) = self.plans().iter().find(|plan| plan.input == input) {
            return Ok(plan.runnable.clone());
        }
        let runnable = guarded(|| self.graph.prepare(input)).map_err(Error::Model)?;
        let mut plans = self.plans();
        if !plans.iter().any(|plan| plan.input == input) {
            plans.truncate(MAX_PLANS - 1);
            let plan = Plan { input: input.to_vec(), runnable: runnable.clone(), idle: Vec::new() };
            plans.insert(0, plan);
        }
        Ok(runnable)
    }
}

impl Runner {
    fn run<T>(
        &mut self,
        fill: impl FnOnce(&mut [f32]),
        read: impl FnOnce(&[Output<'_>]) -> T,
    ) -> Result<T> {
        let shared = || Error::Inference("the input is still in use".to_owned());
        fill(slice_mut(Arc::get_mut(&mut self.input).ok_or_else(shared)?)?);
        let result = self.infer(read);
        self.wipe()?;
        result
    }

    /// The outputs, which may be the input itself, are let go of before this returns.
    fn infer<T>(&mut self, read: impl FnOnce(&[Output<'_>]) -> T) -> Result<T> {
        let input = tvec!(TValue::from_const(self.input.clone()));
        let Self { state, shown, upper_halves, .. } = self;
        let run = || {
            state.run_plan_with_eval(input, |context, state, node, inputs| {
                let outputs = plan::eval(context, state, node, inputs)?;
                shown.note(node, &outputs);
                upper_halves.free()?;
                Ok::<_, TractError>(outputs)
            })
        };
        let outputs = guarded(|| run().map_err(text)).map_err(Error::Inference)?;
        let views: Vec<_> = outputs
            .iter()
            .map(|output| output.to_plain_array_view::<f32>())
            .collect::<TractResult<_>>()
            .map_err(inference)?;
        let output = |view| {
            let view: &tract_ndarray::ArrayViewD<'_, f32> = view;
            let values = view.to_slice().ok_or_else(|| Error::Inference("scattered output".into()));
            values.map(|values| (view.shape().to_vec(), values))
        };
        let parts = views.iter().map(output).collect::<Result<Vec<_>>>()?;
        let parts: Vec<_> = parts.iter().map(|(shape, values)| Output { shape, values }).collect();
        Ok(read(&parts))
    }

    fn wipe(&mut self) -> Result<()> {
        self.reclaim();
        if let Some(input) = Arc::get_mut(&mut self.input) {
            slice_mut(input)?.zeroize();
        } else {
            // The engine still holds it: let go of it, so that it is not used again.
            self.input = Tensor::zero::<f32>(self.input.shape()).map_err(inference)?.into();
        }
        Ok(())
    }

    /// A run that failed may have left the input, and what shows it, with the engine.
    fn reclaim(&mut self) {
        self.shown.wipe();
        if !self.shown.values.is_empty() || Arc::get_mut(&mut self.input).is_none() {
            let state = &mut self.state;
            let _ = guarded(|| state.reset_turn().map_err(text));
        }
        self.shown.clear();
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.reclaim();
        if let Some(Ok(input)) = Arc::get_mut(&mut self.input).map(slice_mut) {
            input.zeroize();
        }
    }
}

fn slice_mut(tensor: &mut Tensor) -> Result<&mut [f32]> {
    let view = tensor.to_plain_array_view_mut::<f32>().map_err(inference)?;
    view.into_slice().ok_or_else(|| Error::Inference("scattered input".into()))
}

fn text(error: TractError) -> String {
    format!("{error:#}")
}

fn inference(error: impl std::fmt::Display) -> Error {
    Error::Inference(format!("{error:#}"))
}

/// A malformed model must not take the application down with it.
fn guarded<T>(
    f: impl FnOnce() -> std::result::Result<T, String>,
) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| Err("the engine panicked on it".into()))
}

impl Graph {
    fn read(onnx: &[u8]) -> std::result::Result<Self, String> {
        let mut reader = onnx;
        let engine = tract_onnx::onnx().with_ignore_value_info(true);
        let proto = engine.proto_model_for_read(&mut reader).map_err(text)?;
        let graph = proto.graph.as_ref().ok_or("it holds no graph")?;
        check_constants(graph, onnx.len() as u64)?;
        let constants: Vec<_> = graph.initializer.iter().map(|t| &t.name).collect();
        let inputs: Vec<_> =
            graph.input.iter().filter(|input| !constants.contains(&&input.name)).collect();
        let [image] = inputs.as_slice() else {
            return Err(format!("it has {} inputs, 1 is needed", inputs.len()));
        };
        let Some(type_proto::Value::TensorType(tensor)) =
            image.r#type.as_ref().and_then(|t| t.value.as_ref())
        else {
            return Err("its input is no tensor".to_owned());
        };
        if tensor.elem_type != tensor_proto::DataType::Float as i32 {
            let actual = tensor_proto::DataType::try_from(tensor.elem_type)
                .map_or("of an unknown type".to_owned(), |t| format!("{t:?}").to_lowercase());
            return Err(format!("its input is {actual}, float is needed"));
        }
        let side = |dim: &tensor_shape_proto::Dimension| match dim.value {
            Some(tensor_shape_proto::dimension::Value::DimValue(v)) => {
                usize::try_from(v).ok().filter(|v| *v > 0)
            }
            _ => None,
        };
        let input = tensor.shape.iter().flat_map(|shape| &shape.dim).map(side).collect();
        let outputs = graph.output.iter().map(|output| output.name.clone()).collect();
        let model = engine.model_for_proto_model(&proto).map_err(text)?;
        Ok(Self { model, input, outputs })
    }

    /// Fixes the input's shape, checks what the network would take to run, and optimises it.
    fn prepare(&self, input: &[usize]) -> std::result::Result<Arc<TypedRunnableModel>, String> {
        let fits = self.input.len() == input.len()
            && self.input.iter().zip(input).all(|(side, want)| side.is_none_or(|s| s == *want));
        if !fits {
            return Err(format!("its input is {}, {input:?} is needed", sides(&self.input)));
        }
        let model = self.model.clone();
        let typed = model
            .with_input_fact(0, f32::fact(input).into())
            .and_then(|model| model.into_typed())
            .map_err(text)?;
        check_cost(&typed)?;
        for (i, name) in self.outputs.iter().enumerate() {
            let fact = typed.output_fact(i).map_err(text)?;
            if fact.datum_type != f32::datum_type() {
                return Err(format!("its output {name:?} is {:?}, f32 is needed", fact.datum_type));
            }
        }
        let optimise = || typed.into_optimized().and_then(|model| model.into_runnable());
        KnobScope::new(KNOBS).and_then(|knobs| knobs.enter(optimise)).map_err(text)
    }
}

/// `[1, 3, ?, ?]`
pub(crate) fn sides(sides: &[Option<usize>]) -> String {
    let side = |side: &Option<usize>| side.map_or("?".to_owned(), |side| side.to_string());
    format!("[{}]", sides.iter().map(side).collect::<Vec<_>>().join(", "))
}

/// What is computed from constants alone, the engine computes while it loads, before any shape
/// can be looked at: so it has to be small, as shapes are. A tensor of the file has at most as
/// many elements as the file has bytes.
fn check_constants(graph: &pb::GraphProto, bytes: u64) -> std::result::Result<(), String> {
    if graph.node.len() > MAX_NODES {
        let actual = graph.node.len();
        return Err(format!("{actual} nodes, at most {MAX_NODES} are allowed"));
    }
    if !graph.sparse_initializer.is_empty() {
        return Err("sparse constants are not supported".to_owned());
    }
    // Of each value, how many elements it has at most if it is constant.
    let mut known: HashMap<&str, Option<u64>> =
        graph.input.iter().map(|input| (input.name.as_str(), None)).collect();
    for tensor in &graph.initializer {
        // An initializer may stand among the inputs: it is their default.
        known.insert(&tensor.name, Some(elements(tensor, bytes)?));
    }
    for node in &graph.node {
        let name = if node.name.is_empty() { &node.op_type } else { &node.name };
        let op = node.op_type.as_str();
        let mut held = 0u64;
        for attribute in &node.attribute {
            if attribute.g.is_some() || !attribute.graphs.is_empty() {
                return Err(format!("the node {name:?} ({op}) holds a graph of its own"));
            }
            for tensor in attribute.t.iter().chain(&attribute.tensors) {
                held = held.max(elements(tensor, bytes)?);
            }
            held = held.max(attribute.ints.len().max(attribute.floats.len()) as u64).max(1);
        }
        let mut inputs = Vec::new();
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            let unknown =
                || format!("the node {name:?} reads {input:?}, which nothing before gives");
            inputs.push(*known.get(input.as_str()).ok_or_else(unknown)?);
        }
        let constant = inputs.iter().copied().collect::<Option<Vec<u64>>>();
        let size = match (op, constant) {
            // Made from a shape, which the engine knows: constants after all. Or of a cost that the
            // engine does not tell.
            (
                "EyeLike" | "RandomNormalLike" | "RandomUniformLike" | "Multinomial" | "RNN"
                | "LSTM" | "GRU" | "LRN",
                _,
            ) => {
                return Err(format!("the node {name:?} ({op}) is not supported"));
            }
            ("Shape", _) => Some(16),
            ("Size", _) => Some(1),
            (_, None) => None,
            ("Constant", Some(_)) => Some(held),
            (
                "Identity" | "Cast" | "Squeeze" | "Unsqueeze" | "Reshape" | "Flatten" | "Transpose"
                | "Slice" | "Split" | "Floor" | "Ceil" | "Round" | "Neg" | "Abs" | "Sqrt" | "Exp"
                | "Log" | "Not" | "Reciprocal" | "Clip" | "ReduceProd" | "ReduceSum" | "ReduceMax"
                | "ReduceMin",
                Some(sizes),
            ) => Some(sizes.first().copied().unwrap_or(0)),
            ("Concat", Some(sizes)) => Some(sizes.iter().fold(0, |sum, n| n.saturating_add(sum))),
            (
                "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Min" | "Max" | "Pow" | "Gather" | "Equal"
                | "Less" | "Greater" | "Where",
                Some(sizes),
            ) => Some(sizes.iter().fold(1, |product, n| n.saturating_mul(product))),
            (_, Some(_)) => {
                return Err(format!(
                    "the node {name:?} ({op}) computes from constants alone: fold them before"
                ));
            }
        };
        if let Some(actual) = size.filter(|size| *size > MAX_CONSTANT.max(bytes)) {
            return Err(format!(
                "the node {name:?} ({op}) may compute {actual} elements from constants alone, at \
                 most {MAX_CONSTANT} are allowed: fold them before"
            ));
        }
        for output in node.output.iter().filter(|output| !output.is_empty()) {
            // The engine would take the last that gives it, also for the nodes before.
            if known.insert(output, size).is_some() {
                return Err(format!("{output:?} is given twice, by the node {name:?} ({op}) too"));
            }
        }
    }
    if let Some(output) = graph.output.iter().find(|o| !known.contains_key(o.name.as_str())) {
        return Err(format!("nothing gives the output {:?}", output.name));
    }
    Ok(())
}

fn elements(tensor: &pb::TensorProto, bytes: u64) -> std::result::Result<u64, String> {
    let name = &tensor.name;
    // No I/O: nothing is read from beside the file.
    if tensor.data_location == Some(tensor_proto::DataLocation::External as i32)
        || !tensor.external_data.is_empty()
    {
        return Err(format!("the constant {name:?} lies outside of the file"));
    }
    let count = tensor.dims.iter().try_fold(1u64, |product, side| {
        u64::try_from(*side).ok().and_then(|side| product.checked_mul(side))
    });
    count.filter(|count| *count <= bytes).ok_or_else(|| {
        format!("the constant {name:?} is {:?}, more than the file's {bytes} bytes", tensor.dims)
    })
}

/// Whether running it stays within the limits.
fn check_cost(model: &TypedModel) -> std::result::Result<(), String> {
    let (mut all, mut multiply_adds) = (0u64, 0u64);
    for node in model.nodes() {
        let name = &node.name;
        let count = |fact: &TypedFact| {
            let shape = fact.shape.as_concrete();
            let shape = shape.ok_or_else(|| {
                format!(
                    "the size of {name:?} is {:?}: it depends on what the picture shows",
                    fact.shape
                )
            })?;
            let count = shape.iter().try_fold(1u64, |all, side| all.checked_mul(*side as u64));
            let element = fact.datum_type.size_of() as u64;
            let fits = |count: &u64| count.saturating_mul(element) <= MAX_TENSOR;
            count.filter(fits).ok_or_else(|| {
                format!(
                    "the tensor {name:?} is {shape:?} of {element} bytes each, at most \
                     {MAX_TENSOR} bytes are allowed"
                )
            })
        };
        for output in &node.outputs {
            if matches!(output.fact.datum_type, DatumType::String | DatumType::Blob) {
                return Err(format!("the tensor {name:?} holds texts, numbers are needed"));
            }
            all += count(&output.fact)? * output.fact.datum_type.size_of() as u64;
        }
        let inputs = model.node_input_facts(node.id).map_err(text)?;
        for (cost, times) in node.op.cost(&inputs).map_err(text)? {
            if matches!(cost, Cost::FMA(_)) {
                let times = times.to_i64().ok().and_then(|times| u64::try_from(times).ok());
                multiply_adds = multiply_adds.saturating_add(times.unwrap_or(u64::MAX));
            }
        }
        let conv = node.op_as::<Conv>();
        let deconv = node.op_as::<Deconv>();
        let pool = node.op_as::<MaxPool>().map(|pool| &pool.pool_spec);
        let pool = pool.or_else(|| node.op_as::<SumPool>().map(|pool| &pool.pool_spec));
        let spec = conv.map(|conv| &conv.pool_spec);
        let Some(spec) = spec.or(deconv.map(|deconv| &deconv.pool_spec)).or(pool) else { continue };
        let sides = spec.kernel_shape.iter();
        let window = sides.fold(1u64, |all, side| all.saturating_mul(*side as u64));
        if window > MAX_WINDOW {
            let sides = &spec.kernel_shape;
            return Err(format!(
                "the window of {name:?} is {sides:?}, at most {MAX_WINDOW} elements are allowed"
            ));
        }
        let (given, made) = (count(inputs[0])?, count(&node.outputs[0].fact)?);
        if pool.is_some() {
            multiply_adds = multiply_adds.saturating_add(window.saturating_mul(made));
        }
        // A convolution may lay out each of its windows, a transposed one what it makes of each
        // element.
        let (channels, places) = match (conv, deconv) {
            (Some(conv), _) => (conv.input_channels(), made / spec.output_channels.max(1) as u64),
            (_, Some(_)) => (spec.output_channels, given / spec.input_channels.max(1) as u64),
            _ => continue,
        };
        let laid = window.saturating_mul(channels as u64).saturating_mul(places).saturating_mul(4);
        if laid > 4 * MAX_TENSOR {
            return Err(format!("{name:?} needs {laid} bytes of working memory"));
        }
    }
    if all > MAX_TENSORS {
        return Err(format!("its tensors have {all} bytes, at most {MAX_TENSORS} are allowed"));
    }
    if multiply_adds > MAX_MULTIPLY_ADDS {
        return Err(format!(
            "it takes {multiply_adds} multiply-adds, at most {MAX_MULTIPLY_ADDS} are allowed"
        ));
    }
    Ok(())
}
