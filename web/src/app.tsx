import { useEffect } from 'preact/hooks';
import { ErrorBoundary, LocationProvider, lazy, Route, Router } from 'preact-iso';
import { checkSession, session } from './session.js';
import { Layout } from './ui/layout.js';
import { LoginView } from './views/login.js';
import { NotFoundView } from './views/not-found.js';

// A view is loaded when it is opened: the list does not wait for the drawing of graphs or the 3D viewer.
const JobsView = lazy(() => import('./views/jobs/jobs-view.js').then((module) => module.JobsView));
const GraphsView = lazy(() => import('./views/graphs/graphs-view.js').then((module) => module.GraphsView));
const JobView = lazy(() => import('./views/job/job-view.js').then((module) => module.JobView));
const SubmitView = lazy(() => import('./views/submit/submit-view.js').then((module) => module.SubmitView));
const WorkersView = lazy(() => import('./views/workers/workers-view.js').then((module) => module.WorkersView));
const WorkflowsView = lazy(() => import('./views/workflows/workflows-view.js').then((module) => module.WorkflowsView));
const GraphView = lazy(() => import('./graph/graph-view.js').then((module) => module.GraphView));
const PlanView = lazy(() => import('./graph/plan-view.js').then((module) => module.PlanView));

export function App() {
  return (
    <LocationProvider scope="/ui">
      <ErrorBoundary>
        <Guarded />
      </ErrorBoundary>
    </LocationProvider>
  );
}

/** The address stays as it is while somebody signs in: a link to a job leads there. */
function Guarded() {
  useEffect(() => {
    void checkSession();
  }, []);
  if (session.value === 'unknown') return null;
  if (session.value === 'out') return <LoginView />;
  return (
    <Layout>
      <Views />
    </Layout>
  );
}

function Views() {
  return (
    <Router onRouteChange={focusContent}>
      <Route path="/ui" component={JobsView} />
      <Route path="/ui/jobs" component={JobsView} />
      <Route path="/ui/jobs/:id" component={JobView} />
      <Route path="/ui/graphs" component={GraphsView} />
      <Route path="/ui/graphs/new" component={PlanView} />
      <Route path="/ui/graphs/:id" component={GraphView} />
      <Route path="/ui/submit" component={SubmitView} />
      <Route path="/ui/workers" component={WorkersView} />
      <Route path="/ui/workflows" component={WorkflowsView} />
      <Route default component={NotFoundView} />
    </Router>
  );
}

/** As a loaded page would do: the keyboard and the screen reader go on at the top of the new view. */
function focusContent(): void {
  document.getElementById('content')?.focus({ preventScroll: true });
}
