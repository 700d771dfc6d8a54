//! What operators do: retry, cancel, delete; keys and who may work.

use anyhow::Result;
use shardfold_fleet::keys::{PublicKey, WorkerKey};
use shardfold_fleet::printable::printable;
use shardfold_fleet::submit;

use super::{create, job_name, objects, open, queue, runtime, short};
use crate::args::{BatchArgs, RegisterArgs, RetryArgs, RevokeArgs, WorkerKeyArgs};
use crate::config::Config;
use crate::exit::usage;
use crate::output::{Places, Printer, print};

/// Runs `retry`.
pub fn retry(args: &RetryArgs) -> Result<()> {
    let runtime = runtime()?;
    let queue = queue(&runtime, &args.fleet)?;
    runtime.block_on(async {
        let batch = queue.batch_id(&args.batch).await?;
        let job = match &args.job {
            None => None,
            Some(job) => {
                let job = queue.explain(job).await?.job;
                if job.batch != batch {
                    return Err(usage(format!(
                        "{} is a job of the batch {}",
                        job_name(&job),
                        short(&job.batch)
                    )));
                }
                Some(job.id)
            }
        };
        let count = queue.retry(&batch, job.as_deref()).await?;
        queue.close().await;
        Printer::new(false).line(format_args!("{count} dead-lettered jobs are tried again"));
        Ok(())
    })
}

/// Runs `cancel`.
pub fn cancel(args: &BatchArgs) -> Result<()> {
    let runtime = runtime()?;
    let queue = queue(&runtime, &args.fleet)?;
    runtime.block_on(async {
        let batch = queue.batch_id(&args.batch).await?;
        queue.cancel(&batch).await?;
        queue.close().await;
        Printer::new(false).line(format_args!("the batch {} is cancelled", short(&batch)));
        Ok(())
    })
}

/// Runs `delete`.
pub fn delete(args: &BatchArgs) -> Result<()> {
    let place = Config::load(&args.fleet)?.place;
    runtime()?.block_on(async {
        let (queue, objects) = (open(&place).await?, objects(&place).await?);
        let batch = queue.batch_id(&args.batch).await?;
        submit::delete(&queue, &objects, &batch).await?;
        queue.close().await;
        Printer::new(false).line(format_args!("the batch {} is removed", short(&batch)));
        Ok(())
    })
}

/// Runs `worker-key`.
pub fn worker_key(args: &WorkerKeyArgs) -> Result<()> {
    let key = if args.file.exists() {
        WorkerKey::from_file(&args.file)?
    } else {
        let output = Places::new([]).output(&args.file, 0)?;
        let file = output.file();
        let file = file.ok_or_else(|| usage("a secret key is kept in a file, not printed"))?;
        let key = WorkerKey::generate()?;
        key.to_file(file)?;
        key
    };
    print(format!("{}\n", key.public()).as_bytes())
}

/// Runs `register`.
pub fn register(args: &RegisterArgs) -> Result<()> {
    let key: PublicKey = args.public_key.parse()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=64).contains(&args.name.len()) || !args.name.chars().all(is_name) {
        return Err(usage(format!(
            "{:?} is no name of a worker: it has 1 to 64 letters, digits, dots, - and _",
            args.name
        )));
    }
    let place = Config::load(&args.fleet)?.place;
    runtime()?.block_on(async {
        let queue = create(&place).await?;
        queue.register(&args.name, &key).await?;
        queue.close().await;
        Printer::new(false).line(format_args!("the worker {} may work", args.name));
        Ok(())
    })
}

/// Runs `revoke`.
pub fn revoke(args: &RevokeArgs) -> Result<()> {
    let runtime = runtime()?;
    let queue = queue(&runtime, &args.fleet)?;
    runtime.block_on(async {
        queue.revoke(&args.name).await?;
        queue.close().await;
        Printer::new(false).line(format_args!(
            "the worker {} is revoked",
            printable(&args.name)
        ));
        Ok(())
    })
}
