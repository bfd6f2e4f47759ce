// Loaded into a broker by NODE_OPTIONS: two things that no program of its size can rule out.
process.on('SIGUSR2', () => {
  throw new Error('nobody caught it');
});
process.on('SIGPIPE', () => {
  void Promise.reject(new Error('nobody waited for it'));
});
