//! Work over threads, where the feature allows it.

use std::thread::{self, Builder};

/// Maps in order. Each thread takes an equal run of the items, at least `least` of them; 0
/// threads is one for each processor. A thread that the system does not give is done without.
pub(crate) fn map<T: Sync, U: Send, E: Send>(
    items: &[T],
    threads: usize,
    least: usize,
    f: impl Fn(&T) -> Result<U, E> + Sync,
) -> Result<Vec<U>, E> {
    let processors = || thread::available_parallelism().map_or(1, usize::from);
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
    let f = &f;
    thread::scope(|scope| {
        let runs = items.chunks(items.len().div_ceil(threads));
        let workers: Vec<_> = runs
            .map(|run| {
                let work = move || run.iter().map(f).collect::<Result<Vec<U>, E>>();
                // parkq-ffi knows parkq's threads by their name.
                let worker = Builder::new().name("parkq".to_owned()).spawn_scoped(scope, work);
                worker.map_err(|_| work())
            })
            .collect();
        let mut all = Vec::with_capacity(items.len());
        for worker in workers {
            match worker.map_or_else(Ok, |worker| worker.join()) {
                Ok(run) => all.extend(run?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}

#[cfg(all(test, feature = "threads"))]
mod tests {
    use super::*;

    /// The C library silences the panics of threads of this name, and of no others.
    #[test]
    fn workers_are_known_by_their_name() {
        let named = |_: &u8| Ok::<_, ()>(thread::current().name() == Some("parkq"));
        assert_eq!(map(&[1, 2, 3], 3, 1, named), Ok(vec![true; 3]));
        assert_eq!(map(&[1, 2, 3], 1, 1, named), Ok(vec![false; 3]));
    }
}
