// Builds from the editor: through the server where it streams progress, in a terminal where somebody types.

import * as path from 'path';
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

/** What the lenses of the server carry. */
export interface StageArgument {
  uri: string;
  target?: string;
}

interface BuildResult {
  success: boolean;
  output: string[];
}

let channel: vscode.OutputChannel | undefined;

export async function buildStage(client: LanguageClient | undefined, argument?: StageArgument): Promise<void> {
  const uri = argument?.uri ?? vscode.window.activeTextEditor?.document.uri.toString();
  if (!client || !uri) {
    return;
  }
  try {
    const params = { uri, target: argument?.target };
    const result = await client.sendRequest<BuildResult>('dfls/build', params);
    if (result.success) {
      vscode.window.setStatusBarMessage('$(check) built', 5000);
      return;
    }
    channel ??= vscode.window.createOutputChannel('dfbuild');
    channel.clear();
    channel.append(result.output.join('\n'));
    const answer = await vscode.window.showErrorMessage('The build has failed.', 'Show the output');
    if (answer) {
      channel.show(true);
    }
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}

export function openTerminal(verb: 'run' | 'shell', argument: StageArgument): void {
  const file = vscode.Uri.parse(argument.uri).fsPath;
  const builder = vscode.workspace.getConfiguration('dflint').get<string | null>('builder') ?? 'dfbuild';
  const args = [verb, '--file', file];
  if (argument.target !== undefined) {
    args.push('--target', argument.target);
  }
  args.push(path.dirname(file));
  const terminal = vscode.window.createTerminal({ name: `dfbuild ${verb}`, shellPath: builder, shellArgs: args });
  terminal.show();
}
