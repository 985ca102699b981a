// Does what Tauri's `freezePrototype` does, before anything else of a test file is loaded.

Object.freeze(Object.prototype);
