// A page that shows what an image is made of: a bar for each step, and what its files are.

import * as vscode from 'vscode';

import { bytes, instructionOf, type FileChange, type LayersModel } from './layers';

let panel: vscode.WebviewPanel | undefined;

export async function showLayers(context: vscode.ExtensionContext, model: LayersModel): Promise<void> {
  if (!panel) {
    const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    panel = vscode.window.createWebviewPanel('dflint.layerView', 'Layers', place, { enableScripts: true });
    panel.onDidDispose(() => (panel = undefined), undefined, context.subscriptions);
    panel.webview.onDidReceiveMessage((message) => receive(model, message), undefined, context.subscriptions);
  }
  panel.webview.html = page(model);
}

type Message =
  | { type: 'files'; step: number }
  | { type: 'open'; step: number; path: string; change: FileChange['change'] }
  | { type: 'go'; step: number };

async function receive(model: LayersModel, message: Message): Promise<void> {
  if (message.type === 'files') {
    await panel?.webview.postMessage({ step: message.step, files: await model.files(message.step) });
  } else if (message.type === 'open') {
    await model.open(message.step, message.path, message.change);
  } else if (model.uri && model.layers) {
    const start = model.layers.steps[message.step].range.start;
    const place = new vscode.Range(start.line, start.character, start.line, start.character);
    await vscode.window.showTextDocument(model.uri, { selection: place, viewColumn: vscode.ViewColumn.One });
  }
}

function escaped(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (letter) => names[letter]);
}

function page(model: LayersModel): string {
  const layers = model.layers!;
  const nonce = Math.random().toString(36).slice(2);
  const largest = Math.max(1, ...layers.steps.map((step) => step.size));
  const counts = (step: (typeof layers.steps)[number]): string =>
    [
      [step.added, 'added', '+'],
      [step.changed, 'changed', '~'],
      [step.removed, 'removed', '−'],
    ]
      .filter(([count]) => Number(count) > 0)
      .map(([count, name, sign]) => `<span class="${name}" title="${name}">${sign}${count}</span>`)
      .join(' ') || '<span class="dim">no files</span>';
  const rows = layers.steps
    .map((step, number) => {
      const width = step.size === 0 ? 0 : Math.max(0.5, (step.size / largest) * 100);
      const wasted = step.wasted > 0 ? `<span class="waste" title="of steps before, covered or removed">${bytes(step.wasted)} wasted</span>` : '';
      return `<section data-step="${number}">
  <button class="row" aria-expanded="false">
    <span class="number">${number + 1}</span>
    <span class="title" title="${escaped(step.title)}">${escaped(instructionOf(step))}</span>
    <span class="counts">${counts(step)}</span>
    <span class="size">${bytes(step.size)}</span>
    <span class="bar"><span style="width:${width}%"></span></span>
  </button>${wasted}
  <a class="go" href="#" title="Show the line">line ${step.range.start.line + 1}</a>
  <div class="files" hidden></div>
</section>`;
    })
    .join('\n');
  const wasteful = layers.wasteful
    .slice(0, 10)
    .map((file) => `<tr><td class="size">${bytes(file.wasted)}</td><td>${escaped(file.path)}</td><td class="dim">steps ${file.steps.map((step) => step + 1).join(', ')}</td></tr>`)
    .join('\n');
  // 100 % is for images that waste nothing at all.
  const percent = Math.min(layers.efficiency * 100, layers.wasted > 0 ? 99.9 : 100).toFixed(1);
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-${nonce}'">
<style>${STYLE}</style></head><body>
<header>
  <div><strong>${bytes(layers.size)}</strong><span>in all layers</span></div>
  <div><strong>${layers.steps.length}</strong><span>steps</span></div>
  <div class="${layers.wasted > 0 ? 'waste' : ''}"><strong>${bytes(layers.wasted)}</strong><span>wasted</span></div>
  <div><strong>${percent} %</strong><span>efficiency</span><span class="meter"><span style="width:${percent}%"></span></span></div>
</header>
${layers.steps.length === 0 ? '<p class="dim">Nothing of this file has been built yet.</p>' : rows}
${wasteful && `<h2>Files that waste the most</h2><table>${wasteful}</table>`}
<script nonce="${nonce}">${SCRIPT}</script>
</body></html>`;
}

const STYLE = `
body { font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); color: var(--vscode-foreground); padding: 16px 20px; max-width: 900px; }
header { display: flex; gap: 36px; padding-bottom: 18px; margin-bottom: 12px; border-bottom: 1px solid var(--vscode-panel-border, #8884); flex-wrap: wrap; }
header div { display: flex; flex-direction: column; gap: 2px; }
header strong { font-size: 1.7em; font-weight: 600; }
header span, .dim, .number { color: var(--vscode-descriptionForeground); }
.meter { height: 4px; border-radius: 2px; background: var(--vscode-panel-border, #8884); overflow: hidden; }
.meter span { display: block; height: 100%; background: var(--vscode-charts-green); }
section { position: relative; margin: 2px 0; }
.row { display: grid; grid-template-columns: 2.2em 1fr auto 6.5em; gap: 2px 10px; width: 100%; text-align: left; align-items: baseline; background: none; border: none; color: inherit; font: inherit; padding: 6px 70px 8px 8px; border-radius: 4px; cursor: pointer; }
.row:hover, .row:focus-visible { background: var(--vscode-list-hoverBackground); }
.row[aria-expanded=true] { background: var(--vscode-list-inactiveSelectionBackground); }
.title { font-family: var(--vscode-editor-font-family); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.size { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { grid-column: 2 / 5; height: 6px; border-radius: 3px; background: var(--vscode-panel-border, #8883); overflow: hidden; }
.bar span { display: block; height: 100%; background: var(--vscode-charts-blue); border-radius: 3px; }
.go { position: absolute; right: 10px; top: 7px; font-size: .9em; text-decoration: none; }
.waste, header .waste span, .waste strong { color: var(--vscode-editorWarning-foreground); }
section > .waste { display: block; padding: 0 0 4px 3.4em; font-size: .9em; }
.added { color: var(--vscode-gitDecoration-addedResourceForeground); }
.changed { color: var(--vscode-gitDecoration-modifiedResourceForeground); }
.removed { color: var(--vscode-gitDecoration-deletedResourceForeground); }
.files { font-family: var(--vscode-editor-font-family); font-size: .92em; padding: 4px 0 10px 3em; max-height: 420px; overflow: auto; }
.file { display: grid; grid-template-columns: 1em 2.8em minmax(3em, max-content) 5em minmax(0, 1fr); gap: 10px; width: 100%; background: none; border: none; color: inherit; font: inherit; text-align: left; padding: 1px 6px; cursor: pointer; border-radius: 3px; }
.file :last-child { overflow-wrap: anywhere; }
.file:hover { background: var(--vscode-list-hoverBackground); }
h2 { font-size: 1.1em; font-weight: 600; margin: 26px 0 8px; }
td { padding: 2px 14px 2px 0; }
`;

const SCRIPT = `
const vscode = acquireVsCodeApi();
const signs = { added: '+', changed: '~', removed: '−' };
const units = ['B', 'kB', 'MB', 'GB'];
function bytes(size) { let unit = 0; while (size >= 1000 && unit < 3) { size /= 1000; unit++; } return unit ? size.toFixed(1) + ' ' + units[unit] : size + ' B'; }
for (const section of document.querySelectorAll('section')) {
  const step = Number(section.dataset.step);
  const row = section.querySelector('.row');
  const files = section.querySelector('.files');
  row.addEventListener('click', () => {
    files.hidden = !files.hidden;
    row.setAttribute('aria-expanded', String(!files.hidden));
    if (!files.hidden && !files.firstChild) vscode.postMessage({ type: 'files', step });
  });
  section.querySelector('.go').addEventListener('click', (event) => { event.preventDefault(); vscode.postMessage({ type: 'go', step }); });
}
window.addEventListener('message', (event) => {
  const { step, files } = event.data;
  const place = document.querySelector('section[data-step="' + step + '"] .files');
  place.replaceChildren(...files.slice(0, 2000).map((file) => {
    const row = document.createElement('button');
    row.className = 'file';
    const cells = [[signs[file.change], file.change], [file.mode, 'dim'], [file.uid + ':' + file.gid, 'dim'], [file.type !== 'file' ? file.type : file.change === 'removed' ? '' : bytes(file.size), 'size'], [file.path + (file.target ? ' -> ' + file.target : ''), file.change]];
    for (const [text, name] of cells) { const cell = document.createElement('span'); cell.textContent = text; cell.className = name; row.append(cell); }
    row.addEventListener('click', () => vscode.postMessage({ type: 'open', step, path: file.path, change: file.change }));
    return row;
  }));
  if (files.length === 0) place.textContent = 'no files';
});
`;
