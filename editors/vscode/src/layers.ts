// The layers of the Dockerfile in front: a tree of steps and files, files to read, and the same file at two steps.

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

export interface Step {
  title: string;
  range: { start: { line: number; character: number }; end: { line: number; character: number } };
  layers: number;
  size: number;
  added: number;
  changed: number;
  removed: number;
  wasted: number;
}

export interface Layers {
  preview: number;
  steps: Step[];
  size: number;
  wasted: number;
  efficiency: number;
  wasteful: { path: string; wasted: number; steps: number[] }[];
}

export interface FileChange {
  path: string;
  change: 'added' | 'changed' | 'removed';
  type: string;
  size: number;
  wasted: number;
  mode: string;
  uid: number;
  gid: number;
  target?: string;
}

export type Asked = { uri: string; line?: number; target?: string };

const SCHEME = 'dflayer';

type Item = { kind: 'step'; step: number } | { kind: 'folder'; step: number; path: string; files: FileChange[] } | FileItem;
interface FileItem {
  kind: 'file';
  step: number;
  file: FileChange;
}

export class LayersModel implements vscode.TreeDataProvider<Item>, vscode.TextDocumentContentProvider {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  layers: Layers | undefined;
  uri: vscode.Uri | undefined;

  constructor(private readonly client: () => LanguageClient | undefined) {}

  /** Asks anew what the steps of a file cost. */
  async load(asked: Asked): Promise<Layers | undefined> {
    this.uri = vscode.Uri.parse(asked.uri);
    this.layers = await this.client()?.sendRequest<Layers>('dfls/layers', asked);
    this.changed.fire();
    return this.layers;
  }

  async files(step: number): Promise<FileChange[]> {
    const answer = await this.client()?.sendRequest<{ files: FileChange[]; total: number }>('dfls/layerFiles', {
      preview: this.layers?.preview,
      step,
    });
    return answer?.files ?? [];
  }

  getTreeItem(item: Item): vscode.TreeItem {
    if (item.kind === 'step') {
      const step = this.layers!.steps[item.step];
      const tree = new vscode.TreeItem(instructionOf(step), vscode.TreeItemCollapsibleState.Collapsed);
      tree.description = `${bytes(step.size)}${step.wasted > 0 ? `, ${bytes(step.wasted)} wasted` : ''}`;
      tree.tooltip = `${step.title}\n${step.added} added, ${step.changed} changed, ${step.removed} removed`;
      tree.iconPath = new vscode.ThemeIcon('layers');
      tree.contextValue = 'step';
      return tree;
    }
    if (item.kind === 'folder') {
      const tree = new vscode.TreeItem(item.path.split('/').pop() || '/', vscode.TreeItemCollapsibleState.Collapsed);
      tree.description = bytes(item.files.reduce((sum, file) => sum + file.size, 0));
      tree.iconPath = vscode.ThemeIcon.Folder;
      return tree;
    }
    const { file, step } = item;
    const tree = new vscode.TreeItem(file.path.split('/').pop() ?? file.path);
    tree.description = `${file.type === 'file' ? bytes(file.size) : file.type}  ${file.mode}`;
    tree.tooltip = `${file.path}\n${file.change}, owner ${file.uid}:${file.gid}${file.target ? `, -> ${file.target}` : ''}`;
    const icons = { added: 'diff-added', changed: 'diff-modified', removed: 'diff-removed' };
    const colors = { added: 'addedResourceForeground', changed: 'modifiedResourceForeground', removed: 'deletedResourceForeground' };
    tree.iconPath = new vscode.ThemeIcon(icons[file.change], new vscode.ThemeColor(`gitDecoration.${colors[file.change]}`));
    tree.contextValue = `file-${file.change}`;
    tree.command = { command: 'dflint.openLayerFile', title: 'Open', arguments: [step, file.path, file.change] };
    return tree;
  }

  async getChildren(item?: Item): Promise<Item[]> {
    if (!item) {
      return (this.layers?.steps ?? []).map((_, step) => ({ kind: 'step', step }));
    }
    if (item.kind === 'step') {
      return inFolder(item.step, '', await this.files(item.step));
    }
    return item.kind === 'folder' ? inFolder(item.step, item.path, item.files) : [];
  }

  /** Opens a file as it is after a step; one that was changed or removed beside what it was before. */
  async open(step: number, path: string, change: FileChange['change']): Promise<void> {
    const now = this.address(step, path);
    if (change === 'added' || step === 0) {
      await vscode.window.showTextDocument(now, { preview: true });
      return;
    }
    const title = `${path} (${change} by step ${step + 1})`;
    await vscode.commands.executeCommand('vscode.diff', this.address(step - 1, path), now, title);
  }

  private address(step: number, path: string): vscode.Uri {
    return vscode.Uri.from({ scheme: SCHEME, path, query: `preview=${this.layers?.preview}&step=${step}` });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const query = new URLSearchParams(uri.query);
    const params = { preview: Number(query.get('preview')), step: Number(query.get('step')), path: uri.path };
    const file = await this.client()?.sendRequest<{ exists: boolean; text: string | null; size: number }>('dfls/layerFile', params);
    if (!file?.exists) {
      return '';
    }
    return file.text ?? `(${bytes(file.size)} that are no text)`;
  }

  register(): vscode.Disposable {
    return vscode.Disposable.from(
      vscode.window.registerTreeDataProvider('dflint.layers', this),
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.commands.registerCommand('dflint.openLayerFile', this.open.bind(this)),
    );
  }
}

/** The title of a step without its number: `[app 1/6] RUN make`. */
export function instructionOf(step: Step): string {
  return step.title.replace(/^\[[^\]]*\] /, '');
}

function inFolder(step: number, folder: string, files: FileChange[]): Item[] {
  const folders = new Map<string, FileChange[]>();
  const items: Item[] = [];
  for (const file of files) {
    const rest = file.path.slice(folder.length + 1);
    const slash = rest.indexOf('/');
    if (slash < 0) {
      items.push({ kind: 'file', step, file });
    } else {
      const path = `${folder}/${rest.slice(0, slash)}`;
      folders.set(path, [...(folders.get(path) ?? []), file]);
    }
  }
  return [...[...folders].map(([path, inner]): Item => ({ kind: 'folder', step, path, files: inner })), ...items];
}

export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = size;
  while (value >= 1000 && unit + 1 < units.length) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`;
}
