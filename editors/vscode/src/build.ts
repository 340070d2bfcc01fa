// Builds from the editor: the server builds and says how far it is, here its output gets a place and its end a word.

import * as vscode from 'vscode';
import { WorkDoneProgress, type LanguageClient } from 'vscode-languageclient/node';

/** What the lenses of the server carry: a stage, or the line of the last instruction that counts. */
export interface BuildArgument {
  uri: string;
  target?: string;
  line?: number;
}

interface BuildResult {
  success: boolean;
  isCancelled: boolean;
  output: string[];
  image: string | null;
  message: string | null;
}

interface TerminalCommand {
  program: string;
  arguments: string[];
}

let channel: vscode.OutputChannel | undefined;

function output(): vscode.OutputChannel {
  channel ??= vscode.window.createOutputChannel('dfbuild');
  return channel;
}

/** Shows what steps print, as it comes. */
export function listen(client: LanguageClient): vscode.Disposable {
  return client.onNotification('dfls/buildOutput', (params: { text: string }) => output().append(params.text));
}

/** Returns what the cursor stands on. */
export function argumentHere(): BuildArgument | undefined {
  const editor = vscode.window.activeTextEditor;
  return editor && { uri: editor.document.uri.toString(), line: editor.selection.active.line };
}

let builds = 0;

/** A command may be longer than a notification has room for. */
function shortened(text: string | undefined): string | undefined {
  return text && text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Asks for a build and shows how far it is; the user can end it. */
function withProgress(client: LanguageClient, argument: BuildArgument): Thenable<BuildResult> {
  const workDoneToken = `build-${++builds}`;
  const title = argument.line === undefined ? 'Building' : `Building to line ${argument.line + 1}`;
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, cancel) => {
    let percentage = 0;
    const listener = client.onProgress(WorkDoneProgress.type, workDoneToken, (value) => {
      if (value.kind === 'report') {
        progress.report({ message: shortened(value.message), increment: (value.percentage ?? percentage) - percentage });
        percentage = value.percentage ?? percentage;
      }
    });
    cancel.onCancellationRequested(() =>
      client.sendNotification('window/workDoneProgress/cancel', { token: workDoneToken }),
    );
    try {
      return await client.sendRequest<BuildResult>('dfls/build', { ...argument, workDoneToken });
    } finally {
      listener.dispose();
    }
  });
}

/** Builds, and returns whether that worked. */
export async function build(client: LanguageClient | undefined, argument?: BuildArgument): Promise<boolean> {
  const uri = argument?.uri ?? vscode.window.activeTextEditor?.document.uri.toString();
  if (!client || !uri) {
    return false;
  }
  try {
    output().clear();
    const result = await withProgress(client, { ...argument, uri });
    if (result.success) {
      const id = result.image?.replace('sha256:', '').slice(0, 12) ?? '';
      vscode.window.setStatusBarMessage(`$(check) built ${id}`, 8000);
      return true;
    }
    if (!result.isCancelled) {
      output().appendLine(result.output.slice(-20).join('\n'));
      void failed(result.message ?? 'The build has failed.');
    }
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
  return false;
}

async function failed(message: string): Promise<void> {
  const answer = await vscode.window.showErrorMessage(message, 'Show the output', 'Show the problem');
  if (answer === 'Show the output') {
    output().show(true);
  } else if (answer) {
    await vscode.commands.executeCommand('workbench.actions.view.problems');
  }
}

/** Builds, and opens a terminal in the files: a shell, or the program of the image. */
export async function openTerminal(
  client: LanguageClient | undefined,
  what: 'shell' | 'run',
  argument?: BuildArgument,
): Promise<void> {
  if (!client || !argument) {
    return;
  }
  try {
    const command = await client.sendRequest<TerminalCommand>('dfls/terminal', { ...argument, what });
    const place = argument.line === undefined ? 'stage' : `line ${argument.line + 1}`;
    const terminal = vscode.window.createTerminal({
      name: `${what} at ${place}`,
      shellPath: command.program,
      shellArgs: command.arguments,
      iconPath: new vscode.ThemeIcon(what === 'shell' ? 'terminal' : 'play'),
    });
    terminal.show();
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}
