// Formats the files that are named on standard input, a line each, and writes each result to NAME.out.
const fs = require("fs");
const { format } = require("dockerfile-utils");
const { TextDocument } = require("vscode-languageserver-textdocument");

for (const path of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  try {
    const text = fs.readFileSync(path, "utf8");
    const edits = format(text, { insertSpaces: true, tabSize: 4 });
    const document = TextDocument.create(path, "dockerfile", 1, text);
    fs.writeFileSync(path + ".out", TextDocument.applyEdits(document, edits));
  } catch (error) {
    console.error(path + ": " + error);
  }
}
