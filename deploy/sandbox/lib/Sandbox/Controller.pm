package Sandbox::Controller;

# What the answers of all parties have in common.

use v5.36;
use Mojo::Base 'Mojolicious::Controller';
use warnings FATAL => 'all';

use Mojo::IOLoop;
use Mojo::JSON qw(decode_json);

# Longer than the server itself waits for a quiet connection.
use constant GRACE_SECONDS => 30;

# Does the work and renders its (status, body), unless a fault is due. A late
# answer is late after the work was done: that is the case that hurts, the
# caller gives up and the message was sent all the same. A failing one does
# nothing. No other request waits for a late one.
sub answer ($self, $party, $failure, $work) {
  my $fault = $self->app->faults->take($party) // {};
  my ($status, $body)
    = $fault->{status} ? ($fault->{status}, $failure->($fault->{status})) : $work->();
  return $self->render(status => $status, json => $body) if !$fault->{delay_ms};

  my $tx = $self->render_later->tx;
  $self->inactivity_timeout($fault->{delay_ms} / 1000 + GRACE_SECONDS);
  $self->app->faults->later(
    $fault->{delay_ms},
    sub { $self->render(status => $status, json => $body) if !$tx->is_finished }
  );
  return;
}

# The body as JSON in a one-element list, or nothing; so that a body of null
# is told from no JSON at all.
sub json_body ($self) {
  my $value;
  return eval { $value = decode_json($self->req->body); 1 } ? $value : ();
}

sub refuse ($self, $status, $message, %more) {
  return $self->render(status => $status, json => {message => $message, %more});
}

1;
