// The client of `dfls` for VS Code: starts the server, and gives its commands a place in the editor.

import * as fs from 'fs';
import * as path from 'path';
import * as vscode from 'vscode';
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from 'vscode-languageclient/node';

import { argumentHere, build, listen, openTerminal, type BuildArgument } from './build';
import { LayersModel } from './layers';
import { showLayers } from './layerView';
import { showStages } from './stages';
import { registerTasks } from './tasks';

let client: LanguageClient | undefined;
let status: vscode.StatusBarItem;
const layers = new LayersModel(() => client);

/** Builds, and then shows what came of it in the tree of layers. */
async function built(argument?: BuildArgument): Promise<void> {
  if (await build(client, argument)) {
    await load(argument ?? argumentOf());
  }
}

function argumentOf(): BuildArgument | undefined {
  const here = argumentHere();
  return here && { uri: here.uri };
}

async function load(argument?: BuildArgument): Promise<boolean> {
  if (!argument) {
    return false;
  }
  try {
    return (await layers.load(argument)) !== undefined;
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
    return false;
  }
}

async function showLayersOf(context: vscode.ExtensionContext, argument?: BuildArgument): Promise<void> {
  if (await load(argument)) {
    await showLayers(context, layers);
  }
}

async function toggleLenses(): Promise<void> {
  const configuration = vscode.workspace.getConfiguration('dflint');
  const isOn = configuration.get<boolean>('instructionLenses');
  await configuration.update('instructionLenses', !isOn, vscode.ConfigurationTarget.Global);
}

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  status = vscode.window.createStatusBarItem('dflint', vscode.StatusBarAlignment.Right, 10);
  status.name = 'dflint';
  status.command = 'dflint.restart';
  context.subscriptions.push(
    status,
    vscode.commands.registerCommand('dflint.restart', () => restart(context)),
    layers.register(),
    registerTasks(),
    vscode.commands.registerCommand('dflint.build', (argument?: BuildArgument) => built(argument)),
    vscode.commands.registerCommand('dflint.buildToHere', () => built(argumentHere())),
    vscode.commands.registerCommand('dflint.shellHere', () => openTerminal(client, 'shell', argumentHere())),
    vscode.commands.registerCommand('dflint.layers', () => showLayersOf(context, argumentOf())),
    vscode.commands.registerCommand('dflint.layersHere', () => showLayersOf(context, argumentHere())),
    vscode.commands.registerCommand('dflint.refreshLayers', () => load(argumentOf())),
    vscode.commands.registerCommand('dflint.instructionLenses', toggleLenses),
    vscode.commands.registerCommand('dflint.fixAll', fixAll),
    vscode.commands.registerCommand('dflint.stages', () => showStages(client)),
    vscode.commands.registerCommand('dfls.run', (argument: BuildArgument) => openTerminal(client, 'run', argument)),
    vscode.commands.registerCommand('dfls.shell', (argument: BuildArgument) => openTerminal(client, 'shell', argument)),
    vscode.window.onDidChangeActiveTextEditor(showStatus),
  );
  await restart(context);
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

/** Returns the server: what the user names, what came with the extension, or what is in PATH. */
function serverPath(context: vscode.ExtensionContext): string {
  const named = vscode.workspace.getConfiguration('dflint').get<string>('path');
  if (named) {
    return named;
  }
  const program = process.platform === 'win32' ? 'dfls.exe' : 'dfls';
  const bundled = path.join(context.extensionPath, 'server', program);
  return fs.existsSync(bundled) ? bundled : program;
}

function settings(): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration('dflint');
  const names = ['select', 'ignore', 'preview', 'inlayHints', 'codeLens', 'builder', 'store', 'buildArguments', 'forecast', 'imageFacts', 'instructionLenses'];
  return Object.fromEntries(names.map((name) => [name, configuration.get(name)]));
}

async function restart(context: vscode.ExtensionContext): Promise<void> {
  await client?.stop();
  const server: ServerOptions = { command: serverPath(context), args: ['--stdio'] };
  const options: LanguageClientOptions = {
    documentSelector: [{ language: 'dockerfile' }],
    initializationOptions: settings(),
    synchronize: { configurationSection: 'dflint' },
    middleware: {
      // The server builds by itself; here the user also sees how it ends.
      executeCommand: (command, args, next) =>
        command === 'dfls.build' ? built(args[0] as BuildArgument) : next(command, args),
    },
  };
  client = new LanguageClient('dflint', 'dflint', server, options);
  try {
    await client.start();
    listen(client);
    status.text = 'dflint';
    status.tooltip = `dfls ${client.initializeResult?.serverInfo?.version ?? ''}: click to restart`;
    status.backgroundColor = undefined;
  } catch (error) {
    status.text = '$(error) dflint';
    status.tooltip = `The language server does not start: ${String(error)}`;
    status.backgroundColor = new vscode.ThemeColor('statusBarItem.errorBackground');
  }
  showStatus(vscode.window.activeTextEditor);
}

function showStatus(editor: vscode.TextEditor | undefined): void {
  if (editor?.document.languageId === 'dockerfile') {
    status.show();
  } else {
    status.hide();
  }
}

async function fixAll(): Promise<void> {
  await vscode.commands.executeCommand('editor.action.codeAction', {
    kind: 'source.fixAll.dflint',
    apply: 'first',
  });
}
