package Sandbox::Inbox;

# The text messages that were sent: the phones of all applicants in one.

use v5.36;
use Mojo::Base 'Sandbox::Store';
use warnings FATAL => 'all';

use Sandbox::Value qw(china_time);

use constant KEPT => 10_000;

has messages => sub { [] };

sub file_name ($self) {'inbox.json'}

sub dump ($self) { return $self->messages }

sub fill ($self, $messages) { return $self->messages($messages) }

sub add ($self, $phone, $template, $params) {
  my $messages = $self->messages;
  push @$messages,
    {phone => $phone, template => $template, params => $params, time => china_time(time)};
  splice @$messages, 0, @$messages - KEPT if @$messages > KEPT;
  $self->changed;
  return;
}

# Newest first; all phones' messages when no phone is given.
sub newest ($self, $phone = undef) {
  my @messages = reverse @{$self->messages};
  return [@messages] if !defined $phone;
  return [grep { $_->{phone} eq $phone } @messages];
}

1;
