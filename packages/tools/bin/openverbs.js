#!/usr/bin/env node
import '../dist/src/bin/openverbs.js';
