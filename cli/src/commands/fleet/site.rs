//! What a worker or a dashboard serves over HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use shardfold_fleet::http::process::ProcessMetrics;
use shardfold_fleet::http::serve::{Check, Site, dashboard_router, metrics_router, serve};
use shardfold_fleet::objects::Objects;
use shardfold_fleet::queue::Queue;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::signals::stopped;
use super::{in_place, objects};
use crate::args::DashboardArgs;
use crate::config::{Config, Place};
use crate::threads;

/// Connections to the database for the people who look at one page.
const PAGE_CONNECTIONS: u32 = 4;

/// What a worker is ready with; empty until it has it.
pub type Readiness = Arc<OnceLock<Objects>>;

/// Serves a worker's metrics and health from now on, before anything else is there.
pub async fn serve_metrics(
    address: SocketAddr,
    place: &Place,
    process: ProcessMetrics,
    readiness: Readiness,
) -> Result<()> {
    let listener = listen(address).await?;
    let ready: Check = Arc::new(move || {
        let objects = readiness.get().cloned();
        Box::pin(async move {
            let objects = objects.ok_or("the worker is not ready yet")?;
            Ok(objects.check().await?)
        })
    });
    let site = Site {
        // There are many workers, and the database takes so many connections; one of them may
        // hang for a while when its host is gone without a word.
        queue: lazy(place, 2)?,
        process,
        ready,
    };
    tokio::spawn(async move {
        let never = std::future::pending();
        if let Err(error) = serve(listener, metrics_router(site), never).await {
            tracing::error!(error = error.to_string(), "metrics are not served any more");
        }
    });
    Ok(())
}

/// Runs `dashboard`.
pub fn dashboard(args: &DashboardArgs) -> Result<()> {
    let place = Config::load(&args.fleet)?.place;
    threads::runtime()?.block_on(async {
        let stop = stopped()?;
        let listener = listen(args.listen).await?;
        let address = listener.local_addr().context("the listening address")?;
        tracing::info!("the dashboard is at http://{address}/");
        let ready_place = place.clone();
        let ready: Check = Arc::new(move || {
            let place = ready_place.clone();
            Box::pin(async move {
                let store = objects(&place).await.map_err(|error| format!("{error:#}"));
                Ok(store?.check().await?)
            })
        });
        let site = Site {
            queue: lazy(&place, PAGE_CONNECTIONS)?,
            process: ProcessMetrics::new(0),
            ready,
        };
        serve(listener, dashboard_router(site), asked(stop))
            .await
            .context("cannot serve the dashboard")
    })
}

async fn asked(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen on {address}"))
}

fn lazy(place: &Place, connections: u32) -> Result<Queue> {
    in_place(place, Queue::lazy(&place.database, connections))
}
