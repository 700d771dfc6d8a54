// The proof tree as a picture: one row for each height, the last job at the top, shards at the
// bottom. A row that would be too dense becomes a grid of several lines.

import { set, setAll, svg, toggle } from './dom.js';

export const STATES = ['done', 'running', 'queued', 'waiting', 'dead-lettered', 'cancelled'];

/** Outlines within -1..1, and marks inside of them. */
const SHAPES = {
  done: ['M-.6-.9H.6A.3.3 0 0 1 .9-.6V.6A.3.3 0 0 1 .6.9H-.6A.3.3 0 0 1-.9.6V-.6A.3.3 0 0 1-.6-.9Z', 'M-.45 0-.1.35.5-.35'],
  running: ['M0-1.15 1.15 0 0 1.15-1.15 0Z', ''],
  queued: ['M-.9 0A.9.9 0 1 1 .9 0 .9.9 0 1 1-.9 0Z', ''],
  waiting: ['M-.5 0A.5.5 0 1 1 .5 0 .5.5 0 1 1-.5 0Z', ''],
  'dead-lettered': ['M0-1.1 1.15.9H-1.15Z', 'M0-.4V.25M0 .5V.6'],
  cancelled: ['M-.75-.75.75.75M-.75.75.75-.75', ''],
};

const GUTTER = 58;
const ROW = 46;
const CELL = 17;
const DENSE = 13;
const LARGEST = 11;

/** A sign for a state, as in the tree. */
export function sign(state) {
  const group = svg('g');
  group.append(svg('path', { class: 'outline' }), svg('path', { class: 'mark' }));
  paint(group, state, 8);
  return svg('svg', { class: 'sign', viewBox: '-11 -11 22 22', 'aria-hidden': 'true' }, group);
}

function paint(group, state, size) {
  const [outline, mark] = SHAPES[state] ?? SHAPES.waiting;
  const [first, second] = group.querySelectorAll('.outline, .mark');
  set(group, 'data-state', state);
  setAll(first, { d: outline, transform: `scale(${size})` });
  setAll(second, { d: size < 6 ? '' : mark, transform: `scale(${size})` });
}

export function jobName(job) {
  if (job.kind === 'shard') return `Shard ${job.first + 1}`;
  if (job.kind === 'aggregate') {
    return job.end - job.first > 1 ? `Aggregate of shards ${job.first + 1} to ${job.end}` : `Aggregate of shard ${job.end}`;
  }
  return job.kind === 'wrap' ? 'Settlement proof' : 'Finish';
}

/** Jobs in rows from the top; each row in order of its shards. */
function rows(jobs) {
  const heights = new Map(jobs.map((job) => [job.id, 0]));
  const above = { wrap: 0.75, finish: 0.5, aggregate: 0.25, shard: 0 };
  const weight = (job) => job.end - job.first + above[job.kind];
  for (const job of [...jobs].sort((a, b) => weight(a) - weight(b))) {
    const height = heights.get(job.parent);
    if (height !== undefined) heights.set(job.parent, Math.max(height, heights.get(job.id) + 1));
  }
  const found = [];
  for (const job of jobs) (found[heights.get(job.id)] ??= []).push(job);
  for (const row of found) row?.sort((a, b) => a.first - b.first);
  return found.filter(Boolean).reverse();
}

/** Where each row's jobs are: {jobs, label, grid, size, points, top, bottom}. */
function layout(jobs, shards, width) {
  const room = Math.max(width - GUTTER - 8, 100);
  let y = 4;
  return rows(jobs).map((row, place, all) => {
    const pitch = room / Math.max(row.length, 1);
    const grid = pitch < DENSE;
    const columns = Math.floor(room / CELL);
    const size = grid ? 6 : Math.min(LARGEST, Math.max(4.5, pitch * 0.38));
    const top = y;
    const points = row.map((job, index) =>
      grid
        ? [GUTTER + CELL * ((index % columns) + 0.5), top + 8 + CELL * (Math.floor(index / columns) + 0.5)]
        : [GUTTER + (room * (job.first + job.end)) / 2 / Math.max(shards, 1), top + ROW / 2],
    );
    const height = grid ? CELL * Math.ceil(row.length / columns) + 16 : ROW;
    y = top + height + (grid && place + 1 < all.length ? 8 : 0);
    const kind = row[0].kind;
    const label = kind === 'aggregate' ? `aggregation ${all.length - 1 - place}` : kind === 'shard' ? 'shards' : kind;
    return { jobs: row, label, grid, size, points, pitch: grid ? CELL : pitch, top, bottom: top + height };
  });
}

/** Draws trees into an `svg`, and tells which job is looked at or chosen. */
export class Picture {
  #svg;
  #nodes = new Map();
  #rows = [];
  #tree = null;
  #drawn = '';
  #hovered = null;
  #chosen = null;
  #tabStop = null;
  #tell;

  /** `tell(job id or null, whether it was chosen)`. */
  constructor(element, tell) {
    this.#svg = element;
    this.#tell = tell;
    element.addEventListener('pointerover', (event) => this.#hover(this.#idAt(event)));
    element.addEventListener('pointerleave', () => this.#hover(null));
    element.addEventListener('focusin', (event) => this.#hover(this.#idAt(event)));
    element.addEventListener('focusout', () => this.#hover(null));
    element.addEventListener('click', (event) => {
      const id = this.#idAt(event);
      if (id) this.#tell(id, true);
    });
    element.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#draw()).observe(element.parentElement);
  }

  /** Shows this tree; `chosen` is the id of the job that stays marked. */
  show(tree, chosen) {
    this.#tree = tree;
    this.#chosen = chosen;
    this.#draw();
  }

  #idAt(event) {
    return event.target.closest?.('[role=treeitem]')?.dataset.job ?? null;
  }

  #hover(id) {
    if (id === this.#hovered) return;
    this.#hovered = id;
    this.#mark();
    this.#tell(id, false);
  }

  #draw() {
    if (!this.#tree) return;
    const width = Math.floor(this.#svg.parentElement.clientWidth);
    const { jobs, batch } = this.#tree;
    const drawn = `${width} ${batch.id} ${jobs.length} ${jobs[0]?.id}`;
    if (drawn !== this.#drawn && width > 2 * GUTTER) {
      this.#drawn = drawn;
      this.#rebuild(layout(jobs, batch.shards, width), width);
    }
    for (const job of jobs) this.#update(job);
    this.#mark();
  }

  #rebuild(found, width) {
    const focused = document.activeElement?.dataset?.job;
    this.#rows = found;
    this.#nodes.clear();
    const height = found.at(-1)?.bottom ?? 0;
    setAll(this.#svg, { viewBox: `0 0 ${width} ${height + 18}`, width, height: height + 18 });
    const under = svg('g', { 'aria-hidden': 'true' });
    const over = svg('g', { role: 'presentation' });
    found.forEach((row, level) => {
      if (row.grid) {
        under.append(svg('rect', { class: 'ground', x: GUTTER - 4, y: row.top, width: width - GUTTER, height: row.bottom - row.top, rx: 8 }));
      }
      under.append(svg('text', { class: 'level', x: 0, y: row.grid ? row.top + 21 : row.top + ROW / 2 + 4 }, row.label));
      row.jobs.forEach((job, index) => {
        const [x, y] = row.points[index];
        const node = this.#node(job, row, level, x, y);
        this.#nodes.set(job.id, { node, x, y, row, job });
        over.append(node);
      });
    });
    under.prepend(...this.#edges());
    this.#svg.replaceChildren(under, over);
    this.#tabStop = null;
    this.#setTabStop(focused && this.#nodes.has(focused) ? focused : found[0]?.jobs[0]?.id);
    if (focused) this.#nodes.get(focused)?.node.focus();
  }

  #node(job, row, level, x, y) {
    const half = Math.max(Math.min(row.pitch / 2, 20), 6);
    const reach = row.grid ? CELL / 2 : ROW / 2 - 2;
    const node = svg('g', {
      role: 'treeitem', tabindex: -1, transform: `translate(${x} ${y})`,
      'aria-level': level + 1, 'data-job': job.id,
    });
    node.append(
      svg('rect', { class: 'hit', x: -half, y: -reach, width: 2 * half, height: 2 * reach + (row.grid ? 0 : 6), rx: 6 }),
      svg('path', { class: 'outline' }),
      svg('path', { class: 'mark' }),
    );
    if (job.kind === 'shard' && !row.grid && row.pitch >= 26) {
      node.append(svg('text', { class: 'number', y: row.size + 15 }, String(job.first + 1)));
    }
    return node;
  }

  /** Lines from each job to the one that uses its result, where both rows have room for them. */
  #edges() {
    const edges = [];
    for (const entry of this.#nodes.values()) {
      const above = this.#nodes.get(entry.job.parent);
      entry.edge = null;
      if (!above || entry.row.grid || above.row.grid) continue;
      const [from, to] = [entry.y - entry.row.size, above.y + above.row.size];
      const middle = (from + to) / 2;
      entry.edge = svg('path', {
        class: 'edge',
        d: `M${entry.x} ${from}C${entry.x} ${middle} ${above.x} ${middle} ${above.x} ${to}`,
      });
      edges.push(entry.edge);
    }
    return edges;
  }

  #update(job) {
    const entry = this.#nodes.get(job.id);
    if (!entry) return;
    entry.job = job;
    paint(entry.node, job.state, entry.row.size);
    if (entry.edge) set(entry.edge, 'data-state', job.state);
    const holder = job.instance && job.state === 'running' ? ` at ${job.instance}` : '';
    const attempts = job.attempt > 1 ? `, attempt ${job.attempt}` : '';
    set(entry.node, 'aria-label', `${jobName(job)}: ${job.state}${holder}${attempts}`);
  }

  /** Marks the job looked at, what it is made of and what it becomes part of. */
  #mark() {
    const id = this.#hovered ?? this.#chosen;
    const picked = this.#nodes.get(id)?.job;
    const kin = new Set();
    for (let at = picked; at; at = this.#nodes.get(at.parent)?.job) kin.add(at.id);
    toggle(this.#svg, 'picked', Boolean(picked));
    for (const [key, { node, edge, job }] of this.#nodes) {
      const inside = picked && job.first >= picked.first && job.end <= picked.end && !kin.has(key);
      const related = Boolean(inside || kin.has(key));
      toggle(node, 'kin', related);
      toggle(node, 'self', key === picked?.id);
      if (edge) toggle(edge, 'kin', related);
      if (key === this.#chosen) set(node, 'aria-selected', 'true');
      else node.removeAttribute('aria-selected');
    }
  }

  #setTabStop(id) {
    const next = this.#nodes.get(id);
    if (!next) return;
    this.#nodes.get(this.#tabStop)?.node.setAttribute('tabindex', '-1');
    next.node.setAttribute('tabindex', '0');
    this.#tabStop = id;
  }

  #key(event) {
    const entry = this.#nodes.get(this.#idAt(event));
    if (!entry || event.ctrlKey || event.metaKey || event.altKey) return;
    const { job, row } = entry;
    const place = row.jobs.findIndex((other) => other.id === job.id);
    const child = () => [...this.#nodes.values()].find((other) => other.job.parent === job.id)?.job;
    const moves = {
      ArrowLeft: () => row.jobs[place - 1],
      ArrowRight: () => row.jobs[place + 1],
      ArrowUp: () => this.#nodes.get(job.parent)?.job,
      ArrowDown: child,
      Home: () => row.jobs[0],
      End: () => row.jobs.at(-1),
    };
    if (event.key === 'Enter' || event.key === ' ') this.#tell(job.id, true);
    else if (event.key === 'Escape') this.#tell(null, true);
    else if (!moves[event.key]) return;
    event.preventDefault();
    const next = moves[event.key]?.();
    if (!next) return;
    this.#setTabStop(next.id);
    this.#nodes.get(next.id).node.focus();
  }
}
