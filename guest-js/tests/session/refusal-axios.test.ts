// What the errors of axios mean when a refresh rejects with them.

import axios from 'axios';
import { judges } from './refusal-cases.js';

judges(
  (url) => axios.post(url, { refreshToken: 'r1' }),
  // With the status 200, axios does not reject.
  (name) => name === 'GitHub',
);
