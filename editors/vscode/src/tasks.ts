// Tasks that run `dfbuild` in a terminal: `"type": "dfbuild"` in tasks.json.

import * as path from 'path';
import * as vscode from 'vscode';

interface Definition extends vscode.TaskDefinition {
  file?: string;
  context?: string;
  tag?: string;
  target?: string;
}

function task(definition: Definition, scope: vscode.WorkspaceFolder | vscode.TaskScope): vscode.Task {
  const builder = vscode.workspace.getConfiguration('dflint').get<string | null>('builder') || 'dfbuild';
  const args = ['build', '--progress', 'plain'];
  for (const [flag, value] of [['--file', definition.file], ['--tag', definition.tag], ['--target', definition.target]]) {
    if (flag && value) {
      args.push(flag, value);
    }
  }
  args.push(definition.context ?? (definition.file ? path.dirname(definition.file) : '.'));
  const name = `build ${definition.file ?? 'Dockerfile'}`;
  const made = new vscode.Task(definition, scope, name, 'dfbuild', new vscode.ProcessExecution(builder, args), '$dflint');
  made.group = vscode.TaskGroup.Build;
  return made;
}

export function registerTasks(): vscode.Disposable {
  return vscode.tasks.registerTaskProvider('dfbuild', {
    async provideTasks() {
      const files = await vscode.workspace.findFiles('**/{Dockerfile,Containerfile}', '**/node_modules/**', 50);
      return files.flatMap((file) => {
        const folder = vscode.workspace.getWorkspaceFolder(file);
        return folder ? [task({ type: 'dfbuild', file: vscode.workspace.asRelativePath(file, false) }, folder)] : [];
      });
    },
    resolveTask: (found) => task(found.definition as Definition, found.scope as vscode.WorkspaceFolder),
  });
}
