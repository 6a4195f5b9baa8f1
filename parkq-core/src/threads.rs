//! Work over threads, where the feature allows it.

/// Maps in order. Each thread takes an equal run of the items, at least `least` of them; 0
/// threads is one for each processor. What the system starts no thread for is done by the caller's.
pub(crate) fn map<T: Sync, U: Send, E: Send>(
    items: &[T],
    threads: usize,
    least: usize,
    f: impl Fn(&T) -> Result<U, E> + Sync,
) -> Result<Vec<U>, E> {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if !cfg!(feature = "threads") {
        1
    } else if threads == 0 {
        processors()
    } else {
        threads
    };
    let threads = threads.min(items.len() / least.max(1)).max(1);
    if threads == 1 {
        return items.iter().map(f).collect();
    }
    let work = |run: &[T]| run.iter().map(&f).collect::<Result<Vec<U>, E>>();
    let work = &work;
    std::thread::scope(|scope| {
        let start = |run| {
            let thread = std::thread::Builder::new();
            thread.spawn_scoped(scope, move || work(run)).map_err(|_| run)
        };
        let runs = items.chunks(items.len().div_ceil(threads));
        let workers: Vec<_> = runs.map(start).collect();
        let mut all = Vec::with_capacity(items.len());
        for worker in workers {
            match worker.map_or_else(|run| Ok(work(run)), |thread| thread.join()) {
                Ok(run) => all.extend(run?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}
