// The dashboard: asks the server every second while it is visible, and updates in place.

import { ago, bytes, cells, clock, count, duration, el, facts, keyed, rate, set, short, text, toggle } from './dom.js';
import { Picture, STATES, jobName, sign } from './tree.js';

const $ = (id) => document.getElementById(id);
const EVERY = 1000;
const PAUSE = 150;
const RETRY_TIME = 15_000;

/** The last answers: the fleet, the chosen batch's tree, and the attempts at the job shown. */
const seen = { fleet: null, tree: null, attempts: null };
let looked = null;
let timer = 0;
let pause = 0;
let request = null;

/** The batch and job in the address: `#BATCH` or `#BATCH/JOB`. */
function address() {
  const [batch = '', job = ''] = location.hash.slice(1).split('/');
  return { batch, job: job || null };
}

/** The batch in the address, else the first open one, else the latest. */
function chosenBatch() {
  const batches = seen.fleet?.batches ?? [];
  return address().batch || (batches.find((batch) => batch.state === 'open') ?? batches[0])?.id || null;
}

const shownJob = () => looked ?? address().job;

class Away extends Error {}

/** JSON from the server; null if there is nothing of that name. */
async function ask(path, signal) {
  const answer = await fetch(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(RETRY_TIME)]) });
  if (answer.status === 404) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Away(body.error ?? `the server answers ${answer.status}`);
  return body;
}

async function poll() {
  clearTimeout(timer);
  request?.abort();
  if (document.hidden) return;
  const mine = new AbortController();
  request = mine;
  try {
    seen.fleet = await ask('api/fleet', mine.signal);
    await askTree(mine.signal);
    await askAttempts(mine.signal);
    connection('live', `live, ${clock(seen.fleet.now)}`);
    render();
  } catch (error) {
    if (mine.signal.aborted) return;
    trouble(error);
  }
  timer = setTimeout(poll, EVERY);
}

/** A tree that cannot change any more is not asked for again. */
async function askTree(signal) {
  const id = chosenBatch();
  const known = seen.tree?.batch.id === id ? seen.tree.batch : null;
  const listed = seen.fleet.batches.find((batch) => batch.id === id);
  if (known && known.state !== 'open' && listed?.state === known.state) return;
  seen.tree = id ? await ask(`api/batch/${encodeURIComponent(id)}`, signal) : null;
}

async function askAttempts(signal) {
  const job = seen.tree?.jobs.find(({ id }) => id === shownJob());
  if (!job) seen.attempts = null;
  else if (job.attempt === 0) seen.attempts = { job: job.id, list: [] };
  else if (seen.attempts?.job !== job.id || seen.attempts.stamp !== stamp(job)) {
    const path = `api/job/${encodeURIComponent(job.batch)}/${encodeURIComponent(job.id)}`;
    seen.attempts = { job: job.id, stamp: stamp(job), list: (await ask(path, signal)) ?? [] };
  }
}

/** Differs when an attempt has begun or ended. */
const stamp = (job) => `${job.state} ${job.attempt} ${job.failures} ${job.finished}`;

function connection(state, words) {
  set($('connection'), 'data-state', state);
  text($('connection'), words);
  toggle(document.body, 'stale', state !== 'live');
  if (state === 'live') $('trouble').hidden = true;
}

function trouble(error) {
  connection('away', 'away');
  const since = seen.fleet ? ` What is shown is of ${clock(seen.fleet.now)}.` : '';
  const reason = error instanceof Away ? error.message : 'the dashboard does not answer';
  text($('trouble'), `No news: ${reason}. Trying again every second.${since}`);
  $('trouble').hidden = false;
}

function render() {
  const { fleet } = seen;
  glance(fleet);
  batches(fleet);
  tree();
  workers(fleet);
  rates(fleet);
  failures(fleet);
}

function empty(section, isEmpty) {
  const words = section.querySelector('.empty');
  if (words.hidden === isEmpty) words.hidden = !isEmpty;
}

function glance(fleet) {
  const inState = (state) => fleet.counts.filter((entry) => entry[1] === state).reduce((sum, entry) => sum + entry[2], 0);
  const alive = fleet.instances.filter((instance) => instance.alive);
  const slots = alive.reduce((sum, instance) => sum + instance.slots, 0);
  const busy = alive.reduce((sum, instance) => sum + instance.busy, 0);
  facts($('glance'), [
    ['Busy slots', `${count(busy)} of ${count(slots)}`],
    ['Queued', count(inState('queued'))],
    ['Longest wait', fleet.oldest_queued === null ? 'none' : duration(fleet.now - fleet.oldest_queued)],
    ['Dead-lettered', count(inState('dead-lettered'))],
    ['Workers alive', count(alive.length)],
    ['Transactions, last hour', count(fleet.proven_last_hour)],
  ]);
}

/** Jobs by state: the server's order is waiting, queued, running, done, dead-lettered, cancelled. */
function byState(batch) {
  const [waiting, queued, running, done, deadLettered, cancelled] = batch.jobs;
  const all = waiting + queued + running + done + deadLettered + cancelled;
  return { waiting, queued, running, done, deadLettered, cancelled, all };
}

function makeBar() {
  const bar = el('div', { class: 'bar', role: 'progressbar', 'aria-valuemin': 0 });
  bar.append(el('span', { class: 'done' }), el('span', { class: 'running' }), el('span', { class: 'dead-lettered' }));
  return bar;
}

function updateBar(bar, batch) {
  const jobs = byState(batch);
  set(bar, 'aria-valuemax', jobs.all);
  set(bar, 'aria-valuenow', jobs.done);
  set(bar, 'aria-label', `Jobs of ${batch.label} done`);
  for (const part of bar.children) {
    const width = `${Math.round((100 * jobs[part.className]) / Math.max(jobs.all, 1))}%`;
    if (part.style.width !== width) part.style.width = width;
  }
}

function batches(fleet) {
  const current = chosenBatch();
  empty($('batches'), fleet.batches.length === 0);
  const make = (batch) => {
    const parts = ['name', 'badge', 'small', 'small end', 'small', 'small end'].map((name) => el('span', { class: name }));
    return el('li', {}, el('a', { href: `#${batch.id}` }, ...parts.slice(0, 2), makeBar(), ...parts.slice(2)));
  };
  keyed($('batch-list'), fleet.batches, (batch) => batch.id, make, (item, batch) => {
    const link = item.firstElementChild;
    const [name, badge, bar, done, transactions, when, speed] = link.children;
    const jobs = byState(batch);
    if (batch.id === current) set(link, 'aria-current', 'true');
    else link.removeAttribute('aria-current');
    text(name, batch.label);
    showBadge(badge, jobs.deadLettered > 0 ? 'dead-lettered' : batch.state);
    updateBar(bar, batch);
    const spent = (batch.finished ?? fleet.now) - batch.submitted;
    text(done, `${count(jobs.done)} of ${count(jobs.all)} jobs`);
    text(transactions, `${count(batch.transactions)} transactions`);
    text(when, `${batch.state === 'open' ? 'for' : 'in'} ${duration(spent)}`);
    text(speed, batch.state === 'proven' ? `${rate(speedOf(batch))} per second` : '');
  });
}

/** Transactions per second of a proven batch, from its submission on. */
const speedOf = (batch) => (1000 * batch.transactions) / Math.max(batch.finished - batch.submitted, 1);

function showBadge(badge, word) {
  toggle(badge, 'badge', true);
  set(badge, 'data-state', word);
  text(badge, word);
}

function tree() {
  const found = seen.tree;
  const words = $('tree').querySelector('.empty');
  $('tree-body').hidden = !found;
  words.hidden = Boolean(found);
  text(words, address().batch ? 'There is no batch of this id.' : 'No batch is chosen.');
  text($('tree-title'), found ? `Proof tree of ${found.batch.label}` : 'Proof tree');
  if (!found) return;
  const { batch, jobs } = found;
  text($('tree-id'), `batch ${batch.id}`);
  facts($('tree-facts'), treeFacts(found));
  picture.show(found, address().job);
  const states = STATES.map((state) => [state, jobs.filter((job) => job.state === state).length]);
  const make = ([state]) => el('li', {}, sign(state), el('span'));
  keyed($('legend'), states, ([state]) => state, make, (item, [state, number]) => {
    toggle(item, 'none', number === 0);
    text(item.lastElementChild, `${state} ${count(number)}`);
  });
  job();
}

function treeFacts({ batch, jobs, left, now }) {
  const shards = jobs.filter((job) => job.kind === 'shard');
  const done = shards.filter((job) => job.state === 'done');
  const starts = jobs.map((job) => job.started).filter((start) => start !== null);
  const spent = (batch.finished ?? now) - Math.min(...starts, now);
  const sofar = (1000 * batch.transactions * done.length) / Math.max(shards.length, 1) / Math.max(spent, 1);
  const speed = batch.state === 'proven' ? speedOf(batch) : sofar;
  return [
    ['State', batch.state],
    ['Shards', `${count(done.length)} of ${count(shards.length)}`],
    ['Transactions', count(batch.transactions)],
    ['Rate', done.length > 0 ? `${rate(speed)} per second` : 'none yet'],
    batch.state === 'open'
      ? ['Time left', left === null ? 'unknown' : `about ${duration(left)}`]
      : ['Took', duration((batch.finished ?? now) - batch.submitted)],
    ['Profile', batch.profile],
  ];
}

function job() {
  const { tree: found, attempts } = seen;
  const shown = found.jobs.find(({ id }) => id === shownJob());
  $('job-body').hidden = !shown;
  empty($('job'), !shown);
  if (!shown) return;
  text($('job-title'), jobName(shown));
  facts($('job-facts'), jobFacts(shown, found.now));
  const list = attempts?.job === shown.id ? attempts.list : [];
  $('job-tried').hidden = list.length === 0;
  const make = () => el('li', {}, el('span', { class: 'badge' }), el('span', { class: 'small' }), el('span', { class: 'reason' }));
  keyed($('job-attempts'), list, (attempt) => attempt.attempt, make, (item, attempt) => {
    const [badge, who, reason] = item.children;
    showBadge(badge, attempt.outcome ?? 'running');
    // A invalidated one ended when it was found out.
    const took = attempt.outcome === 'invalidated' ? [] : [duration((attempt.ended ?? found.now) - attempt.started)];
    text(who, [attempt.instance, clock(attempt.started), ...took].join(', '));
    text(reason, attempt.reason ?? '');
  });
}

function jobFacts(shown, now) {
  const running = shown.state === 'running';
  const waits = shown.not_before !== null && shown.not_before > now && shown.state === 'queued';
  return [
    ['State', shown.state],
    ['Worker', shown.instance],
    ['Since', running && shown.started !== null ? `${clock(shown.started)}, ${duration(now - shown.started)}` : null],
    ['Took', shown.took === null ? null : duration(shown.took)],
    ['Next attempt', waits ? `in ${duration(shown.not_before - now)}` : null],
    ['Attempts', `${count(shown.attempt)}, ${count(shown.failures)} failed`],
    ['Lease', running && shown.lease !== null ? `${duration(shown.lease - now)} left` : null],
    ['Deadline', running && shown.deadline !== null ? `in ${duration(shown.deadline - now)}` : null],
    ['Room', shown.size > 0 ? `${count(shown.size)} transactions` : null],
    ['Memory', shown.memory > 0 ? bytes(shown.memory) : null],
    ['Result', shown.result === null ? null : shown.result],
    ['Job', shown.id],
  ];
}

const WORKER = ['State', 'Process', 'Machine', 'Takes', 'Busy', 'Memory', 'Done', 'Failed', 'Strikes', 'Heard of'];

function workers({ now, workers: keys, instances }) {
  const byName = new Map(keys.map((worker) => [worker.name, worker]));
  const order = (instance) => (instance.alive ? 0 : instance.left === null ? 1 : 2);
  const present = [...instances].sort((a, b) => order(a) - order(b) || (a.id < b.id ? -1 : 1)).map((instance) => {
    const worker = byName.get(instance.worker);
    byName.delete(instance.worker);
    const state = worker?.revoked ? 'revoked' : instance.alive ? 'alive' : instance.left === null ? 'silent' : 'left';
    return [state, instance.id, instance.host, instance.kinds.join(', '), `${instance.busy} of ${instance.slots}`,
      bytes(instance.memory), count(instance.done), count(instance.failed), count(worker?.strikes ?? 0),
      ago(now, instance.left ?? instance.seen)];
  });
  const absent = [...byName.values()].map((worker) =>
    [worker.revoked ? 'revoked' : 'absent', worker.name, '', '', '', '', '', '', count(worker.strikes), 'not lately']);
  const all = [...present, ...absent];
  empty($('workers'), all.length === 0);
  keyed($('worker-rows'), all, (row) => row[1], () => el('tr', { role: 'row' }), (row, values) => {
    set(row, 'data-state', values[0]);
    cells(row, WORKER, values);
  });
}

const RATE = ['Job', 'Per minute', 'Mean', 'Longest'];

function rates({ timings, done_last_hour: done }) {
  const rows = ['shard', 'aggregate', 'finish', 'wrap'].flatMap((kind) => {
    const number = done.find(([name]) => name === kind)?.[1] ?? 0;
    const perMinute = rate(number / 60);
    const own = timings.filter((timing) => timing.kind === kind);
    if (own.length === 0) return [[kind, kind, perMinute, '–', '–']];
    return own.map((timing, place) => {
      const size = timing.size > 0 ? ` of ${count(timing.size)}` : '';
      const circuits = new Set(own.map((other) => other.circuits)).size > 1 ? `, circuits ${short(timing.circuits)}` : '';
      const key = `${kind} ${timing.size} ${timing.circuits}`;
      return [key, `${kind}${size}${circuits}`, place === 0 ? perMinute : '', duration(timing.mean), duration(timing.longest)];
    });
  });
  keyed($('rate-rows'), rows, ([key]) => key, () => el('tr', { role: 'row' }), (row, [, ...values]) => cells(row, RATE, values));
}

function failures({ now, failures: list, batches: known }) {
  empty($('failures'), list.length === 0);
  const make = () => el('li', {}, el('span', { class: 'badge' }), el('a'), el('span', { class: 'small' }), el('span', { class: 'reason' }));
  const key = (attempt) => `${attempt.batch} ${attempt.job} ${attempt.attempt}`;
  keyed($('failure-list'), list, key, make, (item, attempt) => {
    const [badge, link, who, reason] = item.children;
    const label = known.find((batch) => batch.id === attempt.batch)?.label ?? `batch ${short(attempt.batch)}`;
    const name = seen.tree?.jobs.find((other) => other.batch === attempt.batch && other.id === attempt.job);
    showBadge(badge, attempt.outcome ?? 'failed');
    set(link, 'href', `#${attempt.batch}/${attempt.job}`);
    text(link, `${name ? jobName(name) : `Job ${short(attempt.job)}`} of ${label}`);
    text(who, `attempt ${attempt.attempt} at ${attempt.instance}, ${ago(now, attempt.ended ?? attempt.started)}`);
    text(reason, attempt.reason ?? '');
  });
}

/** A job is looked at, or chosen: then it goes into the address. */
const picture = new Picture($('picture'), (id, chosen) => {
  if (chosen) {
    const batch = seen.tree.batch.id;
    history.replaceState(null, '', id ? `#${batch}/${id}` : `#${batch}`);
    picture.show(seen.tree, id);
  } else {
    looked = id;
  }
  job();
  clearTimeout(pause);
  pause = setTimeout(tellAttempts, PAUSE);
});

/** The attempts at a job that was pointed at for a moment. If this fails, so does the next poll. */
async function tellAttempts() {
  await askAttempts(new AbortController().signal).catch(() => {});
  if (seen.tree) job();
}

addEventListener('hashchange', () => {
  looked = null;
  if (seen.fleet) render();
  poll();
});
document.addEventListener('visibilitychange', poll);
poll();
