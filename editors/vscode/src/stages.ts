// A list of the stages to go to.

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

interface Stage {
  name: string;
  base: string;
  steps: number;
  needs: number[];
  range: { start: { line: number; character: number } };
}

export async function showStages(client: LanguageClient | undefined): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!client || !editor) {
    return;
  }
  const stages = await client.sendRequest<Stage[]>('dfls/stages', { uri: editor.document.uri.toString() });
  const items = stages.map((stage, number) => ({
    label: stage.name,
    description: `on ${stage.base}, ${stage.steps} steps`,
    detail: stage.needs.length > 0 ? `needs ${stage.needs.map((each) => stages[each]?.name).join(', ')}` : undefined,
    number,
  }));
  const chosen = await vscode.window.showQuickPick(items, { placeHolder: 'Go to a stage' });
  if (!chosen) {
    return;
  }
  const start = stages[chosen.number].range.start;
  const position = new vscode.Position(start.line, start.character);
  editor.selection = new vscode.Selection(position, position);
  editor.revealRange(new vscode.Range(position, position), vscode.TextEditorRevealType.AtTop);
}
