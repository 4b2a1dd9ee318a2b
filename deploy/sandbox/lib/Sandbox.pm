package Sandbox;

# The application: who is at which address, and what they share.

use v5.36;
use Mojo::Base 'Mojolicious';
use warnings FATAL => 'all';

use Mojo::File qw(path);
use Mojo::JSON qw(decode_json);
use Sandbox::Acs3Gate;
use Sandbox::Answers;
use Sandbox::Faults;
use Sandbox::HmacGate;
use Sandbox::Inbox;
use Sandbox::Registry;
use Sandbox::Value qw(random_hex read_secret);

has [qw(sms_gate identity_gate inbox answers registry)];
has faults => sub { Sandbox::Faults->new };

sub startup ($self) {
  $self->secrets([random_hex(32)]);
  $self->max_request_size(16 * 1024 * 1024);
  $self->_open_gates;
  $self->_open_stores;
  $self->_guard;
  $self->_route;
  return;
}

# Called when the server has stopped.
sub flush ($self) {
  $_->flush for $self->inbox, $self->answers, $self->registry;
  return;
}

sub _open_gates ($self) {
  $self->sms_gate(Sandbox::Acs3Gate->new(_key('SANDBOX_SMS')));
  $self->identity_gate(Sandbox::HmacGate->new(_key('SANDBOX_IDENTITY')));
  return;
}

sub _key ($party) {
  my $key_id = $ENV{"${party}_KEY_ID"} // '';
  die "${party}_KEY_ID must be set\n" if $key_id eq '';
  return (key_id => $key_id, secret => read_secret("${party}_KEY_SECRET_FILE"));
}

sub _open_stores ($self) {
  my $home = $ENV{SANDBOX_HOME} || undef;
  path($home)->make_path({mode => 0700}) if $home;
  my %common = (home => $home, log => $self->log);
  $self->inbox(Sandbox::Inbox->new(%common));
  $self->answers(Sandbox::Answers->new(%common));
  $self->registry(Sandbox::Registry->new(%common));
  $_->restore for $self->inbox, $self->answers;
  $self->registry->restore
    or $self->registry->fill(decode_json($self->home->child('registry.json')->slurp));
  return;
}

sub _guard ($self) {
  $self->helper('reply.exception' => \&_report);
  $self->hook(
    before_dispatch => sub ($c) {
      my $headers = $c->res->headers;
      $headers->cache_control('no-store');
      $headers->header('X-Content-Type-Options'  => 'nosniff');
      $headers->header('Content-Security-Policy' =>
          "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'");
      $c->render(status => 413, json => {message => 'the request is too large'})
        if $c->req->is_limit_exceeded;
    }
  );
  return;
}

sub _route ($self) {
  $self->routes->namespaces(['Sandbox::Controller']);
  $self->routes->add_condition(
    for_sms => sub ($route, $c, $captures, $wanted) {
      my $headers = $c->req->headers;
      return defined $headers->header('x-acs-action') || ($headers->host // '') =~ /\Adysmsapi\./i;
    }
  );

  my $r = $self->routes;
  $r->any('/')->requires(for_sms => 1)->to('sms#receive');
  $r->get('/')->to('inbox#page');
  $r->get('/inbox')->to('inbox#list');
  $r->post('/identity/verify')->to('identity#verify');
  $r->get('/registry')->to('registry#show');
  $r->post('/registry')->to('registry#add');
  $r->get('/faults')->to('faults#show');
  $r->post('/faults')->to('faults#plan');
  $r->delete('/faults')->to('faults#clear');
  $r->any($_)->to(cb => \&_nothing_here) for '/', '/*address';
  return;
}

sub _nothing_here ($c) {
  return $c->render(status => 404, json => {message => 'nothing is at this address'});
}

# The cause is for the log, the caller learns only that there was one.
sub _report ($c, $exception) {
  $c->log->error($exception);
  return $c->render(status => 500, json => {message => 'internal error'});
}

1;
