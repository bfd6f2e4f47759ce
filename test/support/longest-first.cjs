// In a fresh clone jest knows no times and takes the largest files first. What is short to read and long to run would come
// last, and be waited for alone.
const { default: Sequencer } = require('@jest/test-sequencer');

const long = [
  /kubernetes\/real-contract/,
  /shipped\/tls\./,
  /cli\/try-shipped/,
  /chaos\/engines/,
  /kubernetes\/faults/,
  /test\/faults\/crash/,
  /test\/tenants\//,
  /test\/shipped\//,
  /kubernetes\/(?:real|failure-table)/,
  /provisioners\/container\//,
  /test\/cli\/(?:try|check\/)/,
  /test\/faults\//,
  /stores\/(?:sealed|postgres)/,
];

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const place = long.findIndex((pattern) => pattern.test(path));
      return place < 0 ? long.length : place;
    };
    // What has been timed is in order already; the sort is stable.
    return super.sort(tests).sort((one, other) => rank(one) - rank(other));
  }
};
