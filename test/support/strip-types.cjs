// Jest runs the sources exactly as production does: Node's own type stripping, nothing else.
const { stripTypeScriptTypes } = require('node:module');
module.exports = { process: (source) => ({ code: stripTypeScriptTypes(source) }) };
