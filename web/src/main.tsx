import { render } from 'preact';
import { App } from './app.js';
import '@fontsource-variable/inter/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/parts.css';
import './styles/job.css';
import './styles/list.css';
import './styles/submit.css';
import './styles/workers.css';

const place = document.getElementById('page');
if (place !== null) render(<App />, place);
