/** Compiles single changed files of the packages, within the types of all others. */
import path from 'node:path';
import ts from 'typescript';
import { ROOT } from './mutation.ts';

/** A file that was compiled. */
export interface Compiled {
  /** Path from {@link ROOT}. */
  readonly file: string;
  readonly text: string;
}

export class SourceCompiler {
  readonly #services = new Map<string, ts.LanguageService>();
  /** What stands in a file instead of its text, and how often that has changed. */
  #changedFile = '';
  #changedText = '';
  #version = 0;

  /**
   * What a source becomes that has another text.
   *
   * @throws Error when the compiler finds fault with it.
   */
  compile(file: string, text: string): Compiled {
    this.#changedFile = path.join(ROOT, file);
    this.#changedText = text;
    this.#version++;
    const service = this.#serviceOf(file);
    const [wrong] = [
      ...service.getSyntacticDiagnostics(this.#changedFile),
      ...service.getSemanticDiagnostics(this.#changedFile),
    ];
    if (wrong !== undefined) throw new Error(ts.flattenDiagnosticMessageText(wrong.messageText, '\n'));
    const output = service.getEmitOutput(this.#changedFile).outputFiles.find(({ name }) => name.endsWith('.js'));
    if (output === undefined) throw new Error(`${file} is none of the sources of its package`);
    return { file: path.relative(ROOT, output.name), text: output.text };
  }

  /** The language service of the package that a file is in. */
  #serviceOf(file: string): ts.LanguageService {
    const folder = path.join(ROOT, ...file.split('/').slice(0, 2));
    let service = this.#services.get(folder);
    if (service === undefined) this.#services.set(folder, (service = this.#start(folder)));
    return service;
  }

  #start(folder: string): ts.LanguageService {
    const config = path.join(folder, 'tsconfig.json');
    const { fileNames, options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(config, (name) => ts.sys.readFile(name)).config,
      ts.sys,
      folder,
    );
    const { readFile, fileExists, readDirectory, directoryExists, getDirectories, realpath } = ts.sys;
    return ts.createLanguageService({
      getScriptFileNames: () => fileNames,
      getScriptVersion: (name) => (name === this.#changedFile ? String(this.#version) : '0'),
      getScriptSnapshot: (name) => {
        const text = name === this.#changedFile ? this.#changedText : readFile(name);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCompilationSettings: () => options,
      getCurrentDirectory: () => folder,
      getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
      readFile,
      fileExists,
      readDirectory,
      directoryExists,
      getDirectories,
      ...(realpath === undefined ? {} : { realpath }),
    });
  }
}
