mod oracle;
mod shards;
mod small_batches;
mod workloads;
